/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/random.h"
#include "support/suite.h"

#include "base/time.h"
#include "pool/pace.h"

/* A wake-up at which so many clients are there. Returns how often it asks for a connection. */
static unsigned wake(struct pace *pace, uint64_t now, unsigned n_clients)
{
    unsigned n_asked = 0;

    (void)pace_woken(pace, now, 0);
    while (n_asked++ < n_clients && pace_accepted(pace))
        ;
    return n_asked;
}

START_TEST(test_asks_once_for_clients_that_come_one_by_one)
{
    struct pace pace = {0};
    uint64_t now = USEC_PER_SEC;

    for (int i = 0; i < 100; i++, now += 200) {
        ck_assert(!pace_woken(&pace, now, 0));
        ck_assert(!pace_accepted(&pace));
    }
}
END_TEST

/* The first two wake-ups learn that it is a burst. */
START_TEST(test_asks_on_in_a_burst_and_stops_after_it)
{
    struct pace pace = {0};
    uint64_t now = USEC_PER_SEC;

    ck_assert_uint_eq(wake(&pace, now, 10), 1);
    now += 20;
    ck_assert_uint_eq(wake(&pace, now, 9), 10);
    for (int i = 0; i < 100; i++) {
        now += 500;
        ck_assert_uint_eq(wake(&pace, now, 3), 4);
    }
    now += 500;
    ck_assert_uint_eq(wake(&pace, now, 1), 2); /* in vain */
    now += 500;
    ck_assert_uint_eq(wake(&pace, now, 1), 1);
}
END_TEST

START_TEST(test_yields_in_a_burst_alone)
{
    struct pace pace = {0};
    uint64_t now = USEC_PER_SEC;

    ck_assert(!pace_woken(&pace, now, 0));
    ck_assert(pace_woken(&pace, now + 50, 0));
    pace_yielded(&pace, now + 150);
    pace_accepted(&pace);
    pace_accepted(&pace);
    ck_assert(pace_woken(&pace, now + 1000, 2));
    pace_yielded(&pace, now + 1010);
    pace_accepted(&pace);
    ck_assert(!pace_woken(&pace, now + 2000, 3));
}
END_TEST

/* Ten more seconds of a busy listener, whose yields take so long and bring so many clients each, of
 * whom so many are let in. Returns the part of the time, in per cent, that it has spent in
 * yielding. */
static unsigned time_yielded(struct pace *pace, uint64_t yield_usec, unsigned n_clients,
                             unsigned n_let_in)
{
    const uint64_t span = 10 * USEC_PER_SEC;
    uint64_t now = pace->woken_at + USEC_PER_SEC, end = now + span, yielded = 0;
    uint64_t n_admitted = pace->n_admitted;

    while (now < end) {
        if (pace_woken(pace, now, n_admitted)) {
            now += yield_usec;
            yielded += yield_usec;
            pace_yielded(pace, now);
        }
        for (unsigned i = 0; i < n_clients; i++)
            pace_accepted(pace);
        n_admitted += n_let_in;
        now += 90;
    }
    return (unsigned)(yielded * 100 / span);
}

START_TEST(test_yields_as_long_as_that_pays)
{
    struct pace pace = {0};

    ck_assert_uint_ge(time_yielded(&pace, 900, 10, 10), 85);
    ck_assert_uint_ge(time_yielded(&pace, 3000, 40, 40), 85);
}
END_TEST

START_TEST(test_hardly_ever_yields_to_the_greedy)
{
    struct pace pace = {0};

    ck_assert_uint_le(time_yielded(&pace, 3000, 4, 4), 1);
}
END_TEST

START_TEST(test_hardly_ever_yields_to_a_flood)
{
    struct pace pace = {0};

    ck_assert_uint_le(time_yielded(&pace, 3000, 40, 2), 1);
}
END_TEST

START_TEST(test_yields_again_when_the_greedy_are_gone)
{
    struct pace pace = {0};

    (void)time_yielded(&pace, 3000, 4, 4);
    ck_assert_uint_ge(time_yielded(&pace, 900, 10, 10), 50);
}
END_TEST

/* Whatever the pace, a listener does not ask in vain more than once for each client: so that costs
 * less than a wake-up for each would. */
START_TEST(test_never_asks_in_vain_for_long)
{
    struct random_source source = random_start();

    for (int history = 0; history < 1000; history++) {
        struct pace pace = {0};
        uint64_t now = USEC_PER_SEC;
        unsigned n_clients = 0, n_in_vain = 0;

        for (int i = 0; i < 100; i++) {
            unsigned there = (unsigned)random_between(&source, 1, 4);
            unsigned n_asked = wake(&pace, now, there);

            n_in_vain += n_asked > there;
            n_clients += n_asked > there ? there : n_asked;
            now += random_between(&source, 1, 400);
        }
        ck_assert_uint_le(n_in_vain, n_clients);
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("pace");

    ADD_TESTS(suite, "asking", test_asks_once_for_clients_that_come_one_by_one,
              test_asks_on_in_a_burst_and_stops_after_it, test_never_asks_in_vain_for_long);
    ADD_TESTS(suite, "yielding", test_yields_in_a_burst_alone, test_yields_as_long_as_that_pays,
              test_hardly_ever_yields_to_the_greedy, test_hardly_ever_yields_to_a_flood,
              test_yields_again_when_the_greedy_are_gone);
    return suite;
}
