/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How evenly long sessions are spread over the workers of a large pool, in simulated time: clients
 * come in bursts, workers acknowledge late and out of order, some sessions are short, any of the
 * long ones may end next, and workers come late or die. */
#include "support/random.h"
#include "support/suite.h"

#include "base/time.h"
#include "pool/policy.h"

#include <string.h>

enum {
    N_SESSIONS = 10000, /* long ones, in the steady state */
    N_WORKERS = 250,
    HANDOFFS_MAX = 50,
    BURST_MAX = 40,
    SHORT_MAX = 200, /* short sessions at a time */
    STEPS = 20000,   /* of the steady state */
    LOOK_EVERY = 100,
};

/* The most that one worker may have of the long sessions, as a part of the mean. */
#define SPREAD_MAX 1.05

struct session {
    unsigned slot;
    bool is_long;
};

static struct pool pool;
static struct pool_options options;
static struct random_source source;
static uint64_t now;

static struct session handed[HANDOFFS_MAX], long_ones[N_SESSIONS + BURST_MAX],
    short_ones[SHORT_MAX];
static unsigned n_handed, n_long, n_short;
static unsigned
    n_long_of[POOL_WORKERS_MAX]; /* sessions that were handed to it and have not ended */
static unsigned burst_every;     /* milliseconds, on average */
static unsigned n_backlog;       /* clients that come for long */

static unsigned pick(unsigned min, unsigned max)
{
    return (unsigned)random_between(&source, min, max);
}

static void begin(struct pool_options with)
{
    pool = (struct pool){0};
    options = with;
    now = 1000 * USEC_PER_SEC;
    n_handed = n_long = n_short = n_backlog = 0;
    burst_every = 1;
    memset(n_long_of, 0, sizeof(n_long_of));
    source = random_start();
}

/* Takes any one of them out. */
static struct session take(struct session sessions[], unsigned *n)
{
    unsigned i = pick(0, *n - 1);
    struct session session = sessions[i];

    sessions[i] = sessions[--*n];
    return session;
}

static void acknowledge_any(void)
{
    struct session session = take(handed, &n_handed);

    pool_handoff_acknowledged(&pool, session.slot);
    if (session.is_long)
        long_ones[n_long++] = session;
    else if (n_short < SHORT_MAX)
        short_ones[n_short++] = session;
    else
        pool_connection_ended(&pool, session.slot, now);
}

static void end_any(struct session sessions[], unsigned *n)
{
    struct session session = take(sessions, n);

    pool_connection_ended(&pool, session.slot, now);
    if (session.is_long)
        n_long_of[session.slot]--;
}

static void hand_off(unsigned slot, bool is_long)
{
    pool_waiting_begun(&pool);
    pool_waiting_ended(&pool);
    pool_handoff_begun(&pool, slot);
    handed[n_handed++] = (struct session){.slot = slot, .is_long = is_long};
    n_long_of[slot] += is_long;
}

/* Returns false if the client has to wait. A start takes a tenth of a second. */
static bool serve_one(bool is_long)
{
    pool_waiting_begun(&pool);
    struct decision decision = policy_decide(&pool, &options, now);
    pool_waiting_ended(&pool);
    if (decision.kind == DECISION_HAND_OFF)
        hand_off(decision.slot, is_long);
    return decision.kind == DECISION_HAND_OFF;
}

static void start_and_get_ready(void)
{
    struct decision decision = policy_decide(&pool, &options, now);

    for (unsigned i = 0; i < pool.n_slots; i++)
        if (pool.workers[i].state == POOL_WORKER_STARTING &&
            now >= pool.workers[i].started_at + USEC_PER_SEC / 10)
            pool_worker_ready(&pool, i, options.max_conns, now);
    if (decision.kind == DECISION_START)
        pool_worker_started(&pool, decision.slot, now);
}

/* A millisecond. */
static void step(void)
{
    unsigned n_arrivals = pick(1, burst_every) == 1 ? pick(0, BURST_MAX) : 0;

    now += USEC_PER_MSEC;
    start_and_get_ready();
    n_backlog += n_long + n_backlog < N_SESSIONS ? n_arrivals : 0;
    while (n_backlog > 0 && n_long + n_handed < N_SESSIONS && serve_one(true))
        n_backlog--;
    for (unsigned i = pick(0, 5); i > 0 && serve_one(false); i--)
        ;
    for (unsigned i = pick(0, n_handed); i > 0; i--)
        acknowledge_any();
    for (unsigned i = pick(0, n_short); i > 0; i--)
        end_any(short_ones, &n_short);
}

static double spread(void)
{
    unsigned most = 0, n = 0;

    for (unsigned i = 0; i < pool.n_slots; i++) {
        n += n_long_of[i];
        most = n_long_of[i] > most ? n_long_of[i] : most;
    }
    return (double)most * pool.n_ready / n;
}

static void wait_for_workers(unsigned n)
{
    for (unsigned i = 0; pool.n_ready < n; i++) {
        ck_assert_uint_lt(i, 100 * N_SESSIONS);
        now += USEC_PER_MSEC;
        start_and_get_ready();
    }
}

static void fill(void)
{
    for (unsigned i = 0; n_long + n_handed < N_SESSIONS; i++) {
        ck_assert_uint_lt(i, 100 * N_SESSIONS);
        step();
    }
    ck_assert_uint_eq(pool.n_ready, N_WORKERS);
}

/* While sessions end and others come in their place. */
static void hold(void)
{
    burst_every = 1;
    for (unsigned i = 0; i < STEPS; i++) {
        for (unsigned n = pick(0, 10); n > 0; n--)
            end_any(long_ones, &n_long);
        step();
        if (i % LOOK_EVERY == 0)
            ck_assert_msg(spread() <= SPREAD_MAX, "step %u: the most is %.3f of the mean", i,
                          spread());
    }
}

static const struct pool_options large = {
    .min_procs = N_WORKERS,
    .max_procs = N_WORKERS,
    .min_conns = 50,
    .max_conns = 50,
    .max_handoffs = HANDOFFS_MAX,
    .max_shutdown = 2,
};

START_TEST(test_long_sessions_are_spread_evenly)
{
    begin(large);
    wait_for_workers(N_WORKERS);
    fill();
    ck_assert_msg(spread() <= SPREAD_MAX, "filled: %.3f", spread());
    hold();
}
END_TEST

/* It grows under its clients, one worker at a time, and not slower than they come: sessions stay
 * where they are. */
START_TEST(test_long_sessions_are_spread_evenly_over_a_pool_that_grows)
{
    begin(large);
    options.min_procs = N_WORKERS / 10;
    options.min_conns = 5;
    burst_every = 100;
    wait_for_workers(options.min_procs);
    fill();
    ck_assert_msg(spread() <= SPREAD_MAX, "filled: %.3f", spread());
    hold();
}
END_TEST

static void kill_worker(unsigned slot)
{
    while (pool.workers[slot].n_handoffs > 0)
        pool_handoff_returned(&pool, slot, now);
    while (pool.workers[slot].n_active > 0)
        pool_connection_ended(&pool, slot, now);
    (void)pool_worker_exited(&pool, slot, now);
    n_long_of[slot] = 0;
}

static void forget(struct session sessions[], unsigned *n, unsigned slot)
{
    for (unsigned i = *n; i > 0; i--)
        if (sessions[i - 1].slot == slot)
            sessions[i - 1] = sessions[--*n];
}

/* Whoever replaces it gets the next ones, and no more than the others. */
START_TEST(test_long_sessions_are_spread_evenly_after_workers_have_died)
{
    begin(large);
    wait_for_workers(N_WORKERS);
    fill();
    for (unsigned i = 0; i < 10; i++) {
        kill_worker(7 * i);
        forget(handed, &n_handed, 7 * i);
        forget(long_ones, &n_long, 7 * i);
        forget(short_ones, &n_short, 7 * i);
    }
    wait_for_workers(N_WORKERS);
    fill();
    hold();
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("spread");

    ADD_TESTS(suite, "long sessions", test_long_sessions_are_spread_evenly,
              test_long_sessions_are_spread_evenly_over_a_pool_that_grows,
              test_long_sessions_are_spread_evenly_after_workers_have_died);
    return suite;
}
