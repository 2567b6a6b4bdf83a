/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/service/dispatch.h"

#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/alerts/alert_watch.h"
#include "dispatcherd/checks/hangup.h"
#include "dispatcherd/core/completion.h"
#include "dispatcherd/core/connection_store.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/messages/stress.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/service/listener.h"
#include "dispatcherd/sockets/kernel_queue.h"
#include "dispatcherd/worker/handoff.h"
#include "dispatcherd/worker/life.h"
#include "dispatcherd/worker/ring_poll.h"
#include "dispatcherd/worker/start.h"
#include "dispatcherd/worker/worker_memory.h"
#include "protocol/debug.h"

/* How many decisions one service may carry out before other services, and the workers' news, have
 * their turn. */
#define DECISIONS_AT_ONCE 256

/* Sessions may end while others are accepted, and their clients wait for us to close our copies: so
 * the rings are looked at after so many decisions. */
#define DECISIONS_A_LOOK 32

/* How long a hand-off may wait for others to the same worker, while connections are accepted. */
#define COLLECT_USEC 100

/* A worker that the policy retires may finish its sessions; this limit is for those that never end.
 */
#define RETIRE_LIMIT_SEC 86400

/* Acknowledgements are found without being announced, since the rings are nearly always read
 * before. If nothing else happens, they are read after this time. */
#define LOOK_USEC (5 * USEC_PER_MSEC)

/* If the timer fires early, that costs one look at the pool; setting it for each connection would
 * cost a system call. So it is only moved earlier, and moved later only after it has fired. */
static void ring_at(struct service *service, uint64_t at)
{
    timer_set_no_later(&service->timer, at);
}

/* What workers are to announce: news that something waits for, and acknowledgements that were not
 * there when the rings were last read for them. */
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

/* Returns false if the decision is to wait. */
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

/* While the service stops, no connection waits for a worker that cannot be started. */
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
        completion_end(connection, HISTORY_UNSERVED, now);
}

/* Most are stored by now, or about to be. */
static void store_waiting(struct service *service)
{
    struct connection *connection;

    TAILQ_FOREACH(connection, &service->waiting, queue_link)
        connection_store_enter(connection, STORED_WAIT);
}

static void rest(struct service *service, enum accept_verdict verdict, uint32_t wanted,
                 uint64_t until, uint64_t now)
{
    service_rests(service);
    if (service->pool->n_handoffs > 0 && !(wanted & RING_WANTS_ANSWERS))
        timer_set_no_later(&service->look_timer, now + LOOK_USEC);
    uint64_t look_at = queue_watch(&service->backlog, service->listeners, service->n_listeners,
                                   verdict == ACCEPT_YES && !listeners_are_paused(service), now);
    uint64_t tell_at = alerts_tell(service, verdict, now);
    uint64_t stress_at = stress_look(service, now);

    recorder_look_at_pool(service->context->recorder, &service->recorded, service->options,
                          service->pool, now);
    uint64_t memory_at = worker_memory_look(service, now);
    tell_verdict(service, verdict);
    drop_hopeless(service, now);
    listeners_watch(service, verdict == ACCEPT_YES);
    hangup_watch_waiting(service);
    store_waiting(service);
    until = until < tell_at ? until : tell_at;
    until = until < stress_at ? until : stress_at;
    until = until < memory_at ? until : memory_at;
    ring_at(service, until < look_at ? until : look_at);
}

void dispatch_run(struct service *service)
{
    uint64_t now = 0;

    for (unsigned i = 0; i < DECISIONS_AT_ONCE; i++) {
        now = time_now_usec(CLOCK_MONOTONIC);
        bool is_look = i % DECISIONS_A_LOOK == 0;
        if (is_look || now >= service->unsent.since + COLLECT_USEC)
            (void)handoffs_send(service, now);
        if (is_look)
            (void)ring_poll_likely(service);
        struct decision decision = policy_decide(service->pool, &service->pool_options, now);
        bool changes_pool = decision.kind == DECISION_START || decision.kind == DECISION_RETIRE;

        /* If connections come back, there is more to decide. */
        if (changes_pool && !handoffs_send(service, now))
            continue;
        if (carry_out(service, &decision, now))
            continue;
        enum accept_verdict verdict = policy_may_accept(service->pool, &service->pool_options, now);
        if (verdict == ACCEPT_YES)
            queue_note_crowd(&service->backlog, service->listeners, service->n_listeners, now);
        if (verdict == ACCEPT_YES && listeners_accept(service))
            continue;
        if (!handoffs_send(service, now))
            continue;
        uint32_t wanted = wanted_news(service, verdict);
        if (ring_poll_want(service, wanted))
            continue;
        rest(service, verdict, wanted, decision.until, now);
        return;
    }
    (void)handoffs_send(service, now);
    ring_at(service, now);
}
