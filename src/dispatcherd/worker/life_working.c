/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The cells of the table in life.c that lead a worker to its connections, and those that find
 * broken rules. */
#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/messages/orders.h"
#include "dispatcherd/messages/stress.h"
#include "dispatcherd/messages/worker_log.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/worker/life_cells.h"
#include "dispatcherd/worker/life_limit.h"
#include "dispatcherd/worker/worker_end.h"
#include "protocol/debug.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
    life_fault(worker, "has sent HELLO twice", MESSAGE_ID_WORKER_LIED);
}

/* Whatever was sent before the answer to our own question is part of an answer to a predecessor. */
void life_answer(struct worker *worker, const struct worker_happening *how)
{
    const char *number = message_find_text(how->message, "NUMBER");
    char awaited[24];

    snprintf(awaited, sizeof(awaited), "%" PRIu64, worker->awaited_answer);
    if (worker->awaited_answer == 0)
        life_unasked(worker, how);
    else if (!number)
        life_fault(worker, "has sent ANSWER without a number", MESSAGE_ID_WORKER_LIED);
    else if (strcmp(number, awaited) == 0)
        worker->awaited_answer = 0;
}

void life_hold(struct worker *worker, const struct worker_happening *how)
{
    if (worker->awaited_answer != 0)
        return;
    const char *rule = greeting_take_held(worker, how->message);

    if (rule)
        life_fault(worker, rule, MESSAGE_ID_WORKER_LIED);
}

void life_unasked(struct worker *worker, const struct worker_happening *how)
{
    life_fault(worker,
               how->message->type == MESSAGE_ANSWER ? "has sent ANSWER without being asked"
                                                    : "has sent HELD without being asked",
               MESSAGE_ID_WORKER_LIED);
}

void life_untimely(struct worker *worker, _unused_ const struct worker_happening *how)
{
    life_fault(worker, "has sent READY out of order or with an invalid number",
               MESSAGE_ID_WORKER_LIED);
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

    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    pool_worker_ready(service->pool, worker->slot, n_connections, now);
    if (worker->start_reason != REASON_ADOPTED)
        recorder_add_ready(service->context->recorder, &service->recorded, service->options,
                           now - worker_in_pool(worker)->started_at, now);
    life_enter(worker, WORKER_READY);
    failed_starts_end(&service->failed_starts);
    if (!worker->is_stored)
        worker_store(worker);
    if (worker->start_reason == REASON_ADOPTED)
        worker_log_adopt(worker);
    stress_tell_ready(worker);
    order_debug_ready(worker);
}

void life_get_ready(struct worker *worker, const struct worker_happening *how)
{
    const struct service_options *options = worker->service->options;
    uint32_t n_connections = how->message->value;
    struct subject subject = worker_subject(worker, NULL);

    if (worker->awaited_answer != 0)
        return;
    /* There is room for as many as it told first. */
    if (worker->start_reason == REASON_ADOPTED && n_connections <= MESSAGE_IDS_MAX &&
        n_connections > worker->n_places)
        n_connections = worker->n_places;
    if (n_connections == 0 || n_connections > worker->n_places) {
        life_untimely(worker, how);
        return;
    }
    if (n_connections < options->max_conns && worker->start_reason != REASON_ADOPTED)
        report(
            LOG_WARNING, &subject,
            "worker %d serves only %u %s at a time, not MAX_CONNS=%u: it lacks threads or memory "
            "for more; raise TasksMax= of its unit, or lower MAX_CONNS or STACKSIZE",
            (int)worker->pid, n_connections, str_plural(n_connections, "connection", "connections"),
            options->max_conns);
    life_become_ready(worker, n_connections);
    subject.reason = decision_reason_to_string(worker->start_reason);
    report_event("worker ready", options->debug, DEBUG_PROCESS, &subject, "worker %d is ready: %s",
                 (int)worker->pid, subject.reason);
    /* It has announced its drain too early; now it counts. */
    if (worker->has_drained) {
        worker_leave_pool(worker);
        life_enter(worker, WORKER_DRAINING);
    }
}

void life_late(struct worker *worker, _unused_ const struct worker_happening *how)
{
    life_fault(worker, "was not ready within 30 s", MESSAGE_ID_START_FAILED);
}

void life_silent(struct worker *worker, _unused_ const struct worker_happening *how)
{
    life_fault(worker, "has not answered the new dispatcherd, which asked for its connections",
               MESSAGE_ID_WORKER_HUNG);
}

void life_handoffs(struct worker *worker, _unused_ const struct worker_happening *how)
{
    if (worker_catch_up(worker))
        service_touch(worker->service);
    if (worker->state >= WORKER_CLOSED)
        return;
    if (worker_is_past_handoff(worker))
        life_fault(worker, "has not acknowledged a connection for 5 s", MESSAGE_ID_WORKER_HUNG);
    else
        worker_limit_begin(worker);
}
