/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "pool/policy_scene.h"

struct pool pool;
struct pool_options options;
uint64_t now;

static void set_default(unsigned *option, unsigned value)
{
    if (*option == 0)
        *option = value;
}

void begin(struct pool_options with)
{
    pool = (struct pool){0};
    now = 1000 * USEC_PER_SEC;
    options = with;
    set_default(&options.max_procs, 5);
    set_default(&options.min_conns, 3);
    set_default(&options.max_conns, 10);
    set_default(&options.max_handoffs, 5);
    set_default(&options.max_shutdown, 2);
}

void add_worker(unsigned slot, unsigned n_conns)
{
    pool_worker_started(&pool, slot, now);
    pool_worker_ready(&pool, slot, options.max_conns, now);
    for (unsigned i = 0; i < n_conns; i++) {
        pool_handoff_begun(&pool, slot);
        pool_handoff_acknowledged(&pool, slot);
    }
}

void add_workers(const unsigned n_conns[], size_t n_workers)
{
    for (size_t i = 0; i < n_workers; i++)
        add_worker((unsigned)i, n_conns[i]);
}

struct decision ask(void)
{
    return policy_decide(&pool, &options, now);
}

void expect(enum decision_kind kind, enum decision_reason reason, unsigned slot)
{
    struct decision decision = ask();

    ck_assert_str_eq(decision_reason_to_string(decision.reason), decision_reason_to_string(reason));
    ck_assert_int_eq(decision.kind, kind);
    if (kind != DECISION_WAIT)
        ck_assert_uint_eq(decision.slot, slot);
}

void expect_wait(enum decision_reason reason, uint64_t until)
{
    expect(DECISION_WAIT, reason, 0);
    ck_assert_uint_eq(ask().until, until);
}

void expect_accept(enum accept_verdict verdict)
{
    ck_assert_str_eq(accept_verdict_to_string(policy_may_accept(&pool, &options, now)),
                     accept_verdict_to_string(verdict));
}

void expect_start(enum decision_reason reason, unsigned slot)
{
    expect(DECISION_START, reason, slot);
    pool_worker_started(&pool, slot, now);
}

void expect_retire(enum decision_reason reason, unsigned slot)
{
    expect(DECISION_RETIRE, reason, slot);
    if (reason == REASON_AGE || reason == REASON_USE)
        pool_expiry_begun(&pool, now);
    pool_worker_draining(&pool, slot, now);
}

void expect_served_by(unsigned slot)
{
    expect_accept(ACCEPT_YES);
    pool_waiting_begun(&pool);
    expect(DECISION_HAND_OFF, REASON_LEAST_BUSY, slot);
    pool_waiting_ended(&pool);
    pool_handoff_begun(&pool, slot);
    pool_handoff_acknowledged(&pool, slot);
}
