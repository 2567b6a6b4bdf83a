/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The policy proved over random histories in simulated time. TEST_HISTORIES says how many
 * (default 10,000); TEST_SEED repeats a run, TEST_HISTORY the one history that a failure named. */
#include "support/suite.h"

#include "base/time.h"
#include "pool/simulation.h"

#include <stdlib.h>

#define HISTORIES_DEFAULT 10000
#define STEPS_MAX         400

/* A steady load takes long to show what it does. */
#define STEADY_ONE_IN 10

/* No simulated session or delay is longer than a minute, nor is MAX_IDLE_TIME. */
#define LONG_ENOUGH_USEC (1000 * USEC_PER_SEC)

/* Runs the property over many histories, or the one_in-th part of them, and fails with the first
 * that violates anything. */
static void for_each_history(void (*check)(struct simulation *simulation), unsigned one_in)
{
    static struct simulation simulation;
    const char *count = getenv("TEST_HISTORIES");
    const char *history = getenv("TEST_HISTORY");
    struct random_source random = random_start();
    unsigned long n_histories = (count ? strtoul(count, NULL, 10) : HISTORIES_DEFAULT) / one_in;

    for (unsigned long i = 0; i < (history ? 1 : n_histories); i++) {
        simulation_init(&simulation, history ? strtoull(history, NULL, 10) : random_next(&random));
        check(&simulation);
        if (!simulation.violation)
            continue;
        simulation_print(&simulation);
        ck_abort_msg("%s", simulation.violation);
    }
}

static void be_violated(struct simulation *simulation, const char *violation)
{
    if (!simulation->violation)
        simulation->violation = violation;
}

/* After all the trouble: everybody is served, and the pool goes back to its size. */
static void check_recovery(struct simulation *simulation)
{
    const struct pool *pool = &simulation->pool;
    const struct pool_options *options = &simulation->options;

    simulation_calm_down(simulation);
    simulation_run(simulation, 100000, simulation->now + LONG_ENOUGH_USEC);
    if (pool->n_waiting > 0 || pool->n_checking > 0 || pool->n_handoffs > 0 || pool->n_active > 0 ||
        pool->n_passed_on > 0)
        be_violated(simulation, "every accepted connection is served in the end");
    if (pool->is_stopping) {
        if (pool_total(pool) > 0)
            be_violated(simulation, "nobody is left after stopping");
        return;
    }
    if (simulation->n_backlog > 0)
        be_violated(simulation, "every client is accepted in the end");
    if (pool->n_ready < options->min_procs)
        be_violated(simulation, "MIN_PROCS are ready in the end");
    if (options->max_idle_usec > 0 && pool_total(pool) > options->min_procs)
        be_violated(simulation, "nobody above MIN_PROCS stays idle in the end");
}

static void check_history(struct simulation *simulation)
{
    simulation_run(simulation, STEPS_MAX, simulation->now + 100 * LONG_ENOUGH_USEC);
    check_recovery(simulation);
}

START_TEST(test_invariants_hold_whatever_happens)
{
    for_each_history(check_history, 1);
}
END_TEST

/* A load that stays the same, with sessions that end and come again: first the pool may find its
 * size, then nobody is
 * started any more, so that nobody can be retired and started for ever. */
static void check_steady_load(struct simulation *simulation)
{
    const struct pool_options *options = &simulation->options;
    unsigned n_places = options->max_procs * options->max_conns;
    unsigned n_starts;
    uint64_t span;

    simulation_run(simulation, STEPS_MAX / 4, simulation->now + LONG_ENOUGH_USEC);
    simulation_hold_load(simulation, (unsigned)random_between(&simulation->random, 0, n_places));
    span = 20 * (simulation->character.session_max_usec + USEC_PER_SEC) +
           (options->max_procs + 2) * (options->max_idle_usec + 40 * USEC_PER_SEC);
    simulation_run(simulation, 100000, simulation->now + span);
    n_starts = simulation->n_decisions[DECISION_START];
    simulation_run(simulation, 20000, simulation->now + span);
    if (simulation->n_decisions[DECISION_START] != n_starts)
        be_violated(simulation, "a steady load starts nobody");
}

START_TEST(test_steady_load_does_not_oscillate)
{
    for_each_history(check_steady_load, STEADY_ONE_IN);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("policy_properties");

    ADD_TESTS(suite, "properties", test_invariants_hold_whatever_happens,
              test_steady_load_does_not_oscillate);
    return suite;
}
