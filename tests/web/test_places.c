/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which connection of the page is ended when, and which one gives way. */
#include "support/suite.h"
#include "web/places.h"

#include <string.h>

#define START 1000000

static struct places places;
static char connections[PLACES_MAX + 1];

static void setup(void)
{
    memset(&places, 0, sizeof(places));
}

/* Each a microsecond after the one before. */
static void fill(void)
{
    for (unsigned i = 0; i < PLACES_MAX; i++)
        ck_assert_ptr_nonnull(places_take(&places, &connections[i], START + i));
}

/* The number of a place that was found; -1: none. */
static int number(const struct place *place)
{
    return place ? (int)(place - places.places) : -1;
}

START_TEST(test_there_are_so_many_places)
{
    fill();
    ck_assert_ptr_null(places_take(&places, &connections[PLACES_MAX], START));
    place_free(&places.places[5]);
    ck_assert_int_eq(number(places_take(&places, &connections[PLACES_MAX], START)), 5);
}
END_TEST

START_TEST(test_a_request_has_less_time_than_an_answer)
{
    places_take(&places, &connections[0], START);
    struct place *answered = places_take(&places, &connections[1], START);

    place_answer(answered, START + 10);
    ck_assert_int_eq(number(places_expire(&places, START + PLACE_REQUEST_LIMIT_USEC - 1)), -1);
    ck_assert_int_eq(number(places_expire(&places, START + PLACE_REQUEST_LIMIT_USEC)), 0);
    /* It is still there, but is not ended again. */
    ck_assert_int_eq(number(places_expire(&places, START + PLACE_REQUEST_LIMIT_USEC)), -1);
    ck_assert_int_eq(number(places_expire(&places, START + PLACE_TOTAL_LIMIT_USEC - 1)), -1);
    ck_assert_int_eq(number(places_expire(&places, START + PLACE_TOTAL_LIMIT_USEC)), 1);
}
END_TEST

START_TEST(test_the_oldest_without_a_request_gives_way)
{
    fill();
    place_answer(&places.places[0], START);
    uint64_t at = START + 1 + PLACE_REQUEST_GRACE_USEC;
    ck_assert(!places_can_displace(&places, at - 1));
    ck_assert_ptr_null(places_displace(&places, at - 1));
    ck_assert(places_can_displace(&places, at));
    ck_assert_int_eq(number(places_displace(&places, at)), 1);
    ck_assert_ptr_null(places_displace(&places, at));
    ck_assert_int_eq(number(places_displace(&places, at + 10)), 2);
}
END_TEST

START_TEST(test_then_the_oldest_that_does_not_read_its_answer)
{
    fill();
    for (unsigned i = 0; i < PLACES_MAX; i++)
        place_answer(&places.places[i], START + 100);
    uint64_t at = START + 100 + PLACE_ANSWER_GRACE_USEC;
    ck_assert(!places_can_displace(&places, at - 1));
    ck_assert_int_eq(number(places_displace(&places, at)), 0);
    ck_assert_int_eq(number(places_displace(&places, at)), 1);
}
END_TEST

START_TEST(test_says_when_to_look_again)
{
    ck_assert_uint_eq(places_wait(&places, false, START), UINT64_MAX);
    fill();
    ck_assert_uint_eq(places_wait(&places, false, START), PLACE_REQUEST_LIMIT_USEC);
    ck_assert_uint_eq(places_wait(&places, true, START), PLACE_REQUEST_GRACE_USEC);
    /* Once one can be displaced, somebody must come for anything to happen. */
    uint64_t now = START + PLACE_REQUEST_GRACE_USEC;
    ck_assert_uint_eq(places_wait(&places, true, now),
                      PLACE_REQUEST_LIMIT_USEC - PLACE_REQUEST_GRACE_USEC);
    ck_assert_uint_eq(places_wait(&places, false, START + PLACE_TOTAL_LIMIT_USEC), 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("places");
    TCase *tcase = tcase_create("places");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, test_there_are_so_many_places);
    tcase_add_test(tcase, test_a_request_has_less_time_than_an_answer);
    tcase_add_test(tcase, test_the_oldest_without_a_request_gives_way);
    tcase_add_test(tcase, test_then_the_oldest_that_does_not_read_its_answer);
    tcase_add_test(tcase, test_says_when_to_look_again);
    suite_add_tcase(suite, tcase);
    return suite;
}
