/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which connection of the page is ended when, and which one gives way. */
#include "support/suite.h"
#include "web/http_slots.h"

#include <string.h>

#define START 1000000

static struct http_slots slots;
static char connections[HTTP_SLOTS_MAX + 1];

static void setup(void)
{
    memset(&slots, 0, sizeof(slots));
}

/* Each a microsecond after the one before. */
static void fill(void)
{
    for (unsigned i = 0; i < HTTP_SLOTS_MAX; i++)
        ck_assert_ptr_nonnull(http_slots_take(&slots, &connections[i], START + i));
}

/* The number of a slot that was found; -1: none. */
static int number(const struct http_slot *slot)
{
    return slot ? (int)(slot - slots.slots) : -1;
}

START_TEST(test_there_are_so_many_places)
{
    fill();
    ck_assert_ptr_null(http_slots_take(&slots, &connections[HTTP_SLOTS_MAX], START));
    http_slot_free(&slots.slots[5]);
    ck_assert_int_eq(number(http_slots_take(&slots, &connections[HTTP_SLOTS_MAX], START)), 5);
}
END_TEST

START_TEST(test_a_request_has_less_time_than_an_answer)
{
    http_slots_take(&slots, &connections[0], START);
    struct http_slot *answered = http_slots_take(&slots, &connections[1], START);

    http_slot_answer(answered, START + 10);
    ck_assert_int_eq(number(http_slots_expire(&slots, START + HTTP_SLOT_REQUEST_LIMIT_USEC - 1)),
                     -1);
    ck_assert_int_eq(number(http_slots_expire(&slots, START + HTTP_SLOT_REQUEST_LIMIT_USEC)), 0);
    /* It is still there, but is not ended again. */
    ck_assert_int_eq(number(http_slots_expire(&slots, START + HTTP_SLOT_REQUEST_LIMIT_USEC)), -1);
    ck_assert_int_eq(number(http_slots_expire(&slots, START + HTTP_SLOT_TOTAL_LIMIT_USEC - 1)), -1);
    ck_assert_int_eq(number(http_slots_expire(&slots, START + HTTP_SLOT_TOTAL_LIMIT_USEC)), 1);
}
END_TEST

START_TEST(test_the_oldest_without_a_request_gives_way)
{
    fill();
    http_slot_answer(&slots.slots[0], START);
    uint64_t at = START + 1 + HTTP_SLOT_REQUEST_GRACE_USEC;
    ck_assert(!http_slots_can_displace(&slots, at - 1));
    ck_assert_ptr_null(http_slots_displace(&slots, at - 1));
    ck_assert(http_slots_can_displace(&slots, at));
    ck_assert_int_eq(number(http_slots_displace(&slots, at)), 1);
    ck_assert_ptr_null(http_slots_displace(&slots, at));
    ck_assert_int_eq(number(http_slots_displace(&slots, at + 10)), 2);
}
END_TEST

START_TEST(test_then_the_oldest_that_does_not_read_its_answer)
{
    fill();
    for (unsigned i = 0; i < HTTP_SLOTS_MAX; i++)
        http_slot_answer(&slots.slots[i], START + 100);
    uint64_t at = START + 100 + HTTP_SLOT_ANSWER_GRACE_USEC;
    ck_assert(!http_slots_can_displace(&slots, at - 1));
    ck_assert_int_eq(number(http_slots_displace(&slots, at)), 0);
    ck_assert_int_eq(number(http_slots_displace(&slots, at)), 1);
}
END_TEST

START_TEST(test_says_when_to_look_again)
{
    ck_assert_uint_eq(http_slots_wait(&slots, false, START), UINT64_MAX);
    fill();
    ck_assert_uint_eq(http_slots_wait(&slots, false, START), HTTP_SLOT_REQUEST_LIMIT_USEC);
    ck_assert_uint_eq(http_slots_wait(&slots, true, START), HTTP_SLOT_REQUEST_GRACE_USEC);
    /* Once one can be displaced, somebody must come for anything to happen. */
    uint64_t now = START + HTTP_SLOT_REQUEST_GRACE_USEC;
    ck_assert_uint_eq(http_slots_wait(&slots, true, now),
                      HTTP_SLOT_REQUEST_LIMIT_USEC - HTTP_SLOT_REQUEST_GRACE_USEC);
    ck_assert_uint_eq(http_slots_wait(&slots, false, START + HTTP_SLOT_TOTAL_LIMIT_USEC), 0);
}
END_TEST

SUITE("http_slots", setup, NULL, test_there_are_so_many_places,
      test_a_request_has_less_time_than_an_answer, test_the_oldest_without_a_request_gives_way,
      test_then_the_oldest_that_does_not_read_its_answer, test_says_when_to_look_again)
