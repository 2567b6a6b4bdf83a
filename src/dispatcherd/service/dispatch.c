/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/service/dispatch.h"

#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/checks/hangup.h"
#include "dispatcherd/core/alerts.h"
#include "dispatcherd/core/completion.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/kernel_queue.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/service/listener.h"
#include "dispatcherd/worker/channel.h"
#include "dispatcherd/worker/handoff.h"
#include "dispatcherd/worker/life.h"
#include "dispatcherd/worker/start.h"
#include "dispatcherd/worker/stress.h"
#include "protocol/debug.h"

/* Decisions for one service before the others, and the workers' news, have their turn. */
#define DECISIONS_AT_ONCE 256

/* Sessions may end while others are accepted, and their clients wait for us to close our copies: so
 * the rings are read after so many decisions. */
#define DECISIONS_A_LOOK 32

/* How long a hand-off may wait for others that go in the same packet, while we accept. */
#define COLLECT_USEC 100

/* A worker that is retired in the course of things may finish its sessions in peace; this is only
 * an end for those that never end. */
#define RETIRE_LIMIT_SEC 86400

/* Acknowledgements are not told, since we nearly always come by before: so late they are looked for
 * where we do not. */
#define LOOK_USEC (5 * USEC_PER_MSEC)

/* A timer that rings too early costs one look at the pool; setting it anew at each connection would
 * cost a system call. So it is only ever set earlier, and later once it has rung. */
static void ring_at(struct service *service, uint64_t at)
{
    timer_set_no_later(&service->timer, at);
}

/* What workers are to tell at once: what something waits for, and acknowledgements where looking
 * for them once was in vain. */
static uint32_t wanted_news(const struct service *service, enum accept_verdict verdict)
{
    const struct pool *pool = service->pool;
    bool is_held_up = pool->n_handoffs >= service->pool_options.max_handoffs;
    uint32_t wanted = 0;

    if (is_held_up || (pool->n_handoffs > 0 && service->has_looked))
        wanted |= RING_WANTS_ANSWERS;
    if (verdict == ACCEPT_NO_PLACE || (pool->n_waiting > 0 && !is_held_up))
        wanted |= RING_WANTS_ENDS;
    return wanted;
}

static void retire(struct service *service, const struct decision *decision, uint64_t now)
{
    bool is_stopping = decision->reason == REASON_STOPPING;

    if (decision->reason == REASON_AGE || decision->reason == REASON_USE)
        pool_expiry_begun(service->pool, now);
    worker_retire(service->workers[decision->slot], decision->reason,
                  is_stopping ? service->context->stop_limit_sec : RETIRE_LIMIT_SEC);
}

static void tell_decision(const struct service *service, const struct decision *decision)
{
    static const char *const kinds[] = {
        [DECISION_HAND_OFF] = "hand off", [DECISION_START] = "start", [DECISION_RETIRE] = "retire"};
    const struct subject subject = {.service = service->options->name,
                                    .reason = decision_reason_to_string(decision->reason)};

    report_debug(service->options->debug, DEBUG_SERVICE_EXTRA, &subject,
                 "decision: %s, slot %u: %s", kinds[decision->kind], decision->slot,
                 subject.reason);
}

static void tell_verdict(struct service *service, enum accept_verdict verdict)
{
    const struct subject subject = {.service = service->options->name,
                                    .reason = accept_verdict_to_string(verdict)};

    if (verdict == service->told_verdict)
        return;
    service->told_verdict = verdict;
    report_debug(service->options->debug, DEBUG_SERVICE, &subject, "clients: %s", subject.reason);
}

/* Returns false if the decision was to wait. */
static bool carry_out(struct service *service, const struct decision *decision, uint64_t now)
{
    if ((service->options->debug & DEBUG_SERVICE_EXTRA) && decision->kind != DECISION_WAIT)
        tell_decision(service, decision);
    switch (decision->kind) {
    case DECISION_HAND_OFF:
        handoff_begin(service, service->workers[decision->slot], now);
        return true;
    case DECISION_START:
        worker_start(service, decision->slot, decision->reason);
        return true;
    case DECISION_RETIRE:
        retire(service, decision, now);
        return true;
    case DECISION_WAIT:
        break;
    }
    return false;
}

/* While stopping, nothing waits for a worker that cannot be started. */
static void drop_hopeless(struct service *service, uint64_t now)
{
    const struct subject subject = {.service = service->options->name};
    const struct pool *pool = service->pool;
    unsigned n = pool->n_waiting;
    struct connection *connection;

    if (!pool->is_stopping || n == 0 || pool->n_failed_starts == 0 || pool_total(pool) > 0)
        return;
    report(LOG_WARNING, &subject, "closing %u %s: no worker can be started", n,
           str_plural(n, "connection", "connections"));
    while ((connection = TAILQ_FIRST(&service->waiting)))
        completion_unserved(connection, now);
}

static void rest(struct service *service, enum accept_verdict verdict, uint32_t wanted,
                 uint64_t until, uint64_t now)
{
    service->has_looked = false;
    if (service->pool->n_handoffs > 0 && !(wanted & RING_WANTS_ANSWERS))
        timer_set_no_later(&service->look_timer, now + LOOK_USEC);
    uint64_t look_at = queue_watch(service, verdict == ACCEPT_YES, now);
    uint64_t tell_at = alerts_tell(service, verdict, now);
    uint64_t stress_at = stress_look(service, now);

    tell_verdict(service, verdict);
    drop_hopeless(service, now);
    listeners_watch(service, verdict == ACCEPT_YES);
    hangup_watch_waiting(service);
    until = until < tell_at ? until : tell_at;
    until = until < stress_at ? until : stress_at;
    ring_at(service, until < look_at ? until : look_at);
}

void dispatch_run(struct service *service)
{
    uint64_t now = 0;

    for (unsigned i = 0; i < DECISIONS_AT_ONCE; i++) {
        now = time_now_usec(CLOCK_MONOTONIC);
        bool is_look = i % DECISIONS_A_LOOK == 0;
        if (is_look || now >= service->unsent_since + COLLECT_USEC)
            (void)handoffs_send(service, now);
        if (is_look)
            (void)workers_read_rings(service);
        struct decision decision = policy_decide(service->pool, &service->pool_options, now);
        bool changes_pool = decision.kind == DECISION_START || decision.kind == DECISION_RETIRE;

        /* Where that brings any back, there is another decision to be made. */
        if (changes_pool && !handoffs_send(service, now))
            continue;
        if (carry_out(service, &decision, now))
            continue;
        enum accept_verdict verdict = policy_may_accept(service->pool, &service->pool_options, now);
        if (verdict == ACCEPT_YES)
            queue_note_crowd(service, now);
        if (verdict == ACCEPT_YES && listeners_accept(service))
            continue;
        if (!handoffs_send(service, now))
            continue;
        uint32_t wanted = wanted_news(service, verdict);
        if (workers_want_news(service, wanted))
            continue;
        rest(service, verdict, wanted, decision.until, now);
        return;
    }
    (void)handoffs_send(service, now);
    ring_at(service, now);
}
