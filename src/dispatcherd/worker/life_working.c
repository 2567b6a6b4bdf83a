/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The cells of the table in life.c that bring a worker to its connections, and those that find out
 * that it breaks the rules. */
#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/worker/closing.h"
#include "dispatcherd/worker/life_cells.h"
#include "dispatcherd/worker/life_limit.h"
#include "dispatcherd/worker/stress.h"
#include "dispatcherd/worker/worker_log.h"
#include "protocol/debug.h"

void life_greet(struct worker *worker, const struct worker_happening *how)
{
    const struct worker_fault fault = worker_greet(worker, how->message);

    if (fault.reason)
        life_fault(worker, fault.reason, fault.message_id);
    else
        life_enter(worker, WORKER_WELCOMED);
}

void life_twice(struct worker *worker, _unused_ const struct worker_happening *how)
{
    life_fault(worker, "has said hello twice", MESSAGE_ID_WORKER_LIED);
}

void life_hold(struct worker *worker, const struct worker_happening *how)
{
    const char *rule = worker_take_held(worker, how->message);

    if (rule)
        life_fault(worker, rule, MESSAGE_ID_WORKER_LIED);
}

void life_unasked(struct worker *worker, _unused_ const struct worker_happening *how)
{
    life_fault(worker, "has told what it holds without being asked", MESSAGE_ID_WORKER_LIED);
}

void life_untimely(struct worker *worker, _unused_ const struct worker_happening *how)
{
    life_fault(worker, "has said that it is ready when it could not be", MESSAGE_ID_WORKER_LIED);
}

void life_note_drain(struct worker *worker, _unused_ const struct worker_happening *how)
{
    struct subject subject = worker_subject(worker, NULL);

    report_event("worker drains", worker->service->options->debug, DEBUG_PROCESS, &subject,
                 "worker %d takes no more connections; it has %u", (int)worker->pid,
                 worker->n_held);
    worker->has_drained = true;
    worker_limit_drain(worker, worker->service->context->stop_limit_sec);
}

void life_drain(struct worker *worker, const struct worker_happening *how)
{
    life_note_drain(worker, how);
    worker_leave_pool(worker);
    life_enter(worker, WORKER_DRAINING);
}

static void life_become_ready(struct worker *worker, uint32_t n_connections)
{
    struct service *service = worker->service;

    pool_worker_ready(service->pool, worker->slot, n_connections, time_now_usec(CLOCK_MONOTONIC));
    life_enter(worker, WORKER_READY);
    service->start_error[0] = '\0';
    if (!worker->is_stored)
        worker_store(worker);
    if (worker->start_reason == REASON_ADOPTED)
        worker_log_adopt(worker);
    stress_tell_ready(worker);
}

void life_get_ready(struct worker *worker, const struct worker_happening *how)
{
    const struct service_options *options = worker->service->options;
    uint32_t n_connections = how->message->value;
    struct subject subject = worker_subject(worker, NULL);

    if (n_connections == 0 || n_connections > worker->n_places) {
        life_untimely(worker, how);
        return;
    }
    if (n_connections < options->max_conns && worker->start_reason != REASON_ADOPTED)
        report(LOG_WARNING, &subject, "worker %d has threads for %u %s, not for MAX_CONNS=%u",
               (int)worker->pid, n_connections,
               str_plural(n_connections, "connection", "connections"), options->max_conns);
    life_become_ready(worker, n_connections);
    subject.reason = decision_reason_to_string(worker->start_reason);
    report_event("worker ready", options->debug, DEBUG_PROCESS, &subject, "worker %d is ready: %s",
                 (int)worker->pid, subject.reason);
    /* It has said so too early; now it counts. */
    if (worker->has_drained) {
        worker_leave_pool(worker);
        life_enter(worker, WORKER_DRAINING);
    }
}

void life_late(struct worker *worker, _unused_ const struct worker_happening *how)
{
    life_fault(worker, "was not ready in 30 s", MESSAGE_ID_START_FAILED);
}

void life_silent(struct worker *worker, _unused_ const struct worker_happening *how)
{
    life_fault(worker, "has not answered the new dispatcherd, which asked for its connections",
               MESSAGE_ID_WORKER_HUNG);
}

void life_handoffs(struct worker *worker, _unused_ const struct worker_happening *how)
{
    if (worker_read_ring(worker))
        service_touch(worker->service);
    if (worker->state >= WORKER_CLOSED)
        return;
    if (worker_is_past_handoff(worker))
        life_fault(worker, "has not acknowledged a connection for 5 s", MESSAGE_ID_WORKER_HUNG);
    else
        worker_limit_begin(worker);
}
