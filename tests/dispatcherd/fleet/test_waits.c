/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "dispatcherd/fleet/waits.h"

#define NOW   UINT64_C(1000000000)
#define LIMIT UINT64_C(20000)

struct decision {
    struct fleet_wait wait;
    unsigned n_calls;
    struct throttle_view view;
};

static struct fleet_waits waits;
static struct fleet_batch batch;
static struct fleet_answer answer;

static const struct throttle_key key = {.source = {.family = AF_INET, .prefix = {192, 0, 2, 1}},
                                        .max_rate = 10};

static void on_decided(struct fleet_wait *wait, const struct throttle_view *view)
{
    struct decision *decision = CONTAINER_OF(wait, struct decision, wait);

    decision->n_calls++;
    decision->view = *view;
}

static struct throttle_view view_of(uint32_t own, uint32_t others)
{
    return (struct throttle_view){.number = 7, .own = own, .others = others, .window_at = NOW};
}

static bool begin(struct decision *decision, uint32_t own, uint32_t others, uint64_t now)
{
    const struct throttle_view view = view_of(own, others);

    *decision = (struct decision){.wait.decided = on_decided};
    return fleet_waits_begin(&waits, &decision->wait, &key, &view, now);
}

/* The answer to a batch with that one count. */
static void reply(uint32_t number, const struct throttle_key *of, uint32_t own, uint64_t window_at,
                  uint32_t others)
{
    batch.n_items = answer.n_sums = 1;
    batch.items[0] =
        (struct fleet_item){.number = number, .key = *of, .own = own, .window_at = window_at};
    answer.sums[0].others = others;
    fleet_waits_answer(&waits, &batch, &answer, NOW + 3000);
}

static void set_up(void)
{
    fleet_waits_init(&waits, LIMIT);
}

START_TEST(test_what_is_above_the_rate_need_not_wait)
{
    static const struct {
        uint32_t own, others;
        bool waits;
    } cases[] = {{1, 0, true},  {2, 2, true}, {5, 0, true},   {1, 4, true},
                 {10, 0, true}, {1, 9, true}, {11, 0, false}, {1, UINT32_MAX - 1, false}};
    struct decision decision;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        ck_assert_msg(begin(&decision, cases[i].own, cases[i].others, NOW) == cases[i].waits,
                      "%u and %u", cases[i].own, cases[i].others);
        fleet_wait_cancel(&decision.wait);
    }
    fleet_waits_init(&waits, 0);
    ck_assert(!begin(&decision, 10, 0, NOW));
}
END_TEST

START_TEST(test_an_answer_decides_what_it_has_counted)
{
    struct throttle_key other = key;
    struct decision first, second;

    other.source.prefix[3] = 2;
    ck_assert(begin(&first, 5, 0, NOW));
    ck_assert(begin(&second, 6, 0, NOW + 1000));
    reply(7, &key, 4, NOW, 9);   /* an earlier batch */
    reply(7, &other, 5, NOW, 9); /* a key that had this number before */
    reply(8, &key, 5, NOW, 9);   /* a number in another chain */
    reply(7 + FLEET_WAIT_CHAINS, &other, 5, NOW, 9);
    reply(7, &key, 6, NOW + THROTTLE_WINDOW_USEC, 9); /* the next window */
    ck_assert_uint_eq(first.n_calls + second.n_calls, 0);
    reply(7, &key, 5, NOW, 5);
    ck_assert_uint_eq(first.n_calls, 1);
    ck_assert_uint_eq(second.n_calls, 0);
    /* Which of all connections each is: the tenth, and one too many. */
    ck_assert_uint_eq(first.view.own + first.view.others, 10);
    ck_assert_uint_eq(first.view.others_at, NOW + 3000);
    reply(7, &key, 8, NOW, 5);
    ck_assert_uint_eq(second.n_calls, 1);
    ck_assert_uint_eq(second.view.own + second.view.others, 11);
    ck_assert_uint_eq(first.n_calls, 1);
    ck_assert_uint_eq(fleet_waits_due(&waits), UINT64_MAX);
    ck_assert_uint_eq(waits.n_begun, 2);
    ck_assert_uint_eq(waits.n_in_vain, 0);
}
END_TEST

/* Windows of one entry begin at least THROTTLE_SHIFT_USEC apart: a count of another one, earlier or
 * later, says nothing about this. */
START_TEST(test_only_the_window_of_the_wait_decides)
{
    static const struct {
        uint64_t item_at;
        bool decides;
    } cases[] = {{NOW - THROTTLE_WINDOW_USEC, false},
                 {NOW - THROTTLE_WINDOW_MIN_SEC * UINT64_C(1000000), false},
                 {NOW - THROTTLE_SHIFT_USEC, false},
                 {NOW - THROTTLE_SHIFT_USEC + 1, true},
                 {NOW, true},
                 {NOW + THROTTLE_SHIFT_USEC - 1, true},
                 {NOW + THROTTLE_SHIFT_USEC, false},
                 {NOW + THROTTLE_WINDOW_MIN_SEC * UINT64_C(1000000), false}};
    struct decision decision;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        ck_assert(begin(&decision, 1, 0, NOW));
        reply(7, &key, 9, cases[i].item_at, 9);
        ck_assert_msg((decision.n_calls == 1) == cases[i].decides, "case %zu", i);
        fleet_wait_cancel(&decision.wait);
    }
}
END_TEST

START_TEST(test_what_is_known_stands_at_the_limit)
{
    struct decision first, second;

    ck_assert(begin(&first, 5, 1, NOW));
    ck_assert(begin(&second, 6, 1, NOW + 1000));
    ck_assert_uint_eq(fleet_waits_due(&waits), NOW + LIMIT);
    fleet_waits_expire(&waits, NOW + LIMIT - 1);
    ck_assert_uint_eq(first.n_calls, 0);
    fleet_waits_expire(&waits, NOW + LIMIT);
    ck_assert_uint_eq(first.n_calls, 1);
    ck_assert_uint_eq(first.view.own, 5);
    ck_assert_uint_eq(first.view.others, 1);
    ck_assert_uint_eq(fleet_waits_due(&waits), NOW + 1000 + LIMIT);
    fleet_waits_expire(&waits, UINT64_MAX);
    ck_assert_uint_eq(second.n_calls, 1);
    ck_assert_uint_eq(waits.n_in_vain, 2);
    reply(7, &key, 6, NOW, 5);
    ck_assert_uint_eq(first.n_calls + second.n_calls, 2);
}
END_TEST

START_TEST(test_a_client_that_leaves_waits_no_longer)
{
    struct decision first, second;

    ck_assert(begin(&first, 5, 0, NOW));
    ck_assert(begin(&second, 6, 0, NOW));
    fleet_wait_cancel(&first.wait);
    fleet_wait_cancel(&first.wait);
    fleet_wait_give_up(&first.wait);
    reply(7, &key, 6, NOW, 0);
    ck_assert_uint_eq(first.n_calls, 0);
    ck_assert_uint_eq(second.n_calls, 1);
}
END_TEST

SUITE("waits", set_up, NULL, test_what_is_above_the_rate_need_not_wait,
      test_an_answer_decides_what_it_has_counted, test_only_the_window_of_the_wait_decides,
      test_what_is_known_stands_at_the_limit, test_a_client_that_leaves_waits_no_longer)
