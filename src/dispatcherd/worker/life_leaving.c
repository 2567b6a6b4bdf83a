/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The cells of the table in life.c that bring a worker to its end. */
#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/worker/exit.h"
#include "dispatcherd/worker/life_cells.h"
#include "dispatcherd/worker/life_limit.h"
#include "dispatcherd/worker/linger.h"
#include "dispatcherd/worker/worker_end.h"
#include "protocol/debug.h"

#include <sys/wait.h>

static void life_pool_drains(struct worker *worker)
{
    if (worker_in_pool(worker)->state != POOL_WORKER_DRAINING)
        pool_worker_draining(worker->service->pool, worker->slot, time_now_usec(CLOCK_MONOTONIC));
}

void life_close(struct worker *worker, _unused_ const struct worker_happening *how)
{
    const struct subject subject = worker_subject(worker, NULL);

    report_debug(worker->service->options->debug, DEBUG_CHANNEL, &subject,
                 "the channel to worker %d is closed", (int)worker->pid);
    worker_close_channel(worker);
    life_enter(worker, WORKER_CLOSED);
    /* A worker whose process is unknown would be freed at once, while callers still use it; so that
     * is done later. */
    if (worker->pidfd >= 0)
        service_touch(worker->service);
}

static void life_report_fault(const struct worker *worker, const char *message_id, bool is_killed)
{
    const struct subject subject = worker_subject(worker, message_id);
    unsigned n = worker_in_pool(worker)->n_active;

    if (n == 0)
        report(LOG_ERR, &subject, "worker %d %s; %s", (int)worker->pid, worker->lost_reason,
               is_killed ? "killing it" : "closing its channel, so that it exits");
    else
        report(LOG_ERR, &subject, "worker %d %s; %s %u %s%s", (int)worker->pid, worker->lost_reason,
               is_killed ? "killing it with its" : "closing its channel, so that it finishes its",
               n, str_plural(n, "session", "sessions"), is_killed ? "" : " and exits");
}

/* `is_killed`: a worker of a unit is killed too, and not only shut off. */
static void life_lose(struct worker *worker, const struct worker_fault *fault, bool is_killed)
{
    worker->lost_reason = fault->reason;
    worker_leave_pool(worker);
    if (worker_in_pool(worker)->state != POOL_WORKER_STARTING && !worker->is_failed_start) {
        life_report_fault(worker, fault->message_id, is_killed || worker->is_child);
        worker_exit_note(worker, worker->lost_reason);
    }
    if (is_killed)
        worker_kill(worker);
    else
        worker_kill_child(worker);
    if (worker->state < WORKER_CLOSED)
        life_close(worker, NULL);
}

void life_give_up(struct worker *worker, const struct worker_happening *how)
{
    life_lose(worker, &how->fault, false);
}

void life_fault(struct worker *worker, const char *reason, const char *message_id)
{
    life_lose(worker, &(struct worker_fault){reason, message_id}, false);
}

/* A worker that drains is expected to exit by itself. If it does not in time, it is given up. */
void life_look_drain(struct worker *worker, const struct worker_happening *how)
{
    life_handoffs(worker, how);
    const char *past = worker->state == WORKER_DRAINING ? worker_past_drain(worker) : NULL;
    if (!past)
        return;
    life_lose(worker, &(struct worker_fault){past, MESSAGE_ID_WORKER_HUNG}, true);
}

static void life_note_retired(struct worker *worker, const struct worker_happening *how)
{
    struct subject subject = worker_subject(worker, NULL);

    worker->retire_reason = how->reason;
    worker->drain_limit_sec = how->limit_sec;
    worker->is_told_to_stop = how->reason == REASON_STOPPING;
    subject.reason = decision_reason_to_string(how->reason);
    report_event("worker retired", worker->service->options->debug, DEBUG_PROCESS, &subject,
                 "worker %d is retired: %s; it has %u %s", (int)worker->pid, subject.reason,
                 worker->n_held, str_plural(worker->n_held, "connection", "connections"));
    life_pool_drains(worker);
}

void life_retire(struct worker *worker, const struct worker_happening *how)
{
    life_note_retired(worker, how);
    worker_limit_drain(worker, how->limit_sec);
    life_enter(worker, WORKER_DRAINING);
    worker_send_drain(worker);
}

/* It was never ready, and is not needed any more. */
void life_turn_away(struct worker *worker, const struct worker_happening *how)
{
    life_note_retired(worker, how);
    worker->lost_reason = "was no longer needed";
    worker_kill_child(worker);
    if (worker->state < WORKER_CLOSED)
        life_close(worker, how);
}

void life_hurry(struct worker *worker, _unused_ const struct worker_happening *how)
{
    if (worker->is_told_to_stop)
        return;
    worker->is_told_to_stop = true;
    worker->drain_limit_sec = worker->service->context->stop_limit_sec;
    worker_limit_drain(worker, worker->drain_limit_sec);
    worker_send_drain(worker);
}

void life_cut(struct worker *worker, const struct worker_happening *how)
{
    worker->lost_reason = "cut";
    if (worker->is_child || worker->unit[0])
        worker_kill(worker);
    if (worker->state < WORKER_CLOSED)
        life_close(worker, how);
}

/* Frees the worker, unless its unit still exists. */
static void life_finish(struct worker *worker, const siginfo_t *info)
{
    worker_conclude(worker, info);
    if (worker->peer < 0 || !worker_unit_is_alive(worker->peer)) {
        worker_bury(worker);
        return;
    }
    if (worker_in_pool(worker)->state == POOL_WORKER_STARTING)
        (void)pool_worker_left(worker->service->pool, worker->slot, time_now_usec(CLOCK_MONOTONIC));
    worker->exit_source = sd_event_source_disable_unref(worker->exit_source);
    life_pool_drains(worker);
    worker_linger_begin(worker);
    life_enter(worker, WORKER_LINGERING);
    service_touch(worker->service);
}

void life_end(struct worker *worker, _unused_ const struct worker_happening *how)
{
    life_finish(worker, &(siginfo_t){0});
}

void life_exit(struct worker *worker, _unused_ const struct worker_happening *how)
{
    siginfo_t info = {0};

    /* What it wrote before it ended may not have been read yet: that it drains makes its end
     * orderly. */
    if (worker->state < WORKER_CLOSED)
        (void)worker_catch_up(worker);
    if (worker->state < WORKER_CLOSED) {
        worker_close_channel(worker);
        life_enter(worker, WORKER_CLOSED);
    }
    if (worker_cause_is_coming(worker)) {
        worker->exit_source = sd_event_source_disable_unref(worker->exit_source);
        life_enter(worker, WORKER_EXITED);
        service_touch(worker->service);
        return;
    }
    if (worker->is_child && waitid(P_PIDFD, (id_t)worker->pidfd, &info, WEXITED | WNOHANG) < 0)
        info.si_code = CLD_EXITED;
    life_finish(worker, &info);
}

void life_stuck(struct worker *worker, const struct worker_happening *how)
{
    /* Its process was never known. If systemd has run its unit's ExecStopPost=, that was before it
     * closed the channel, so the cause is known by now. */
    if (worker->pidfd < 0) {
        life_end(worker, how);
        return;
    }
    if (worker->lost_reason)
        worker_kill(worker);
    else
        life_lose(worker, &(struct worker_fault){worker_past_exit(worker), MESSAGE_ID_WORKER_HUNG},
                  true);
    worker_limit_kill_again(worker);
}

void life_look_unit(struct worker *worker, _unused_ const struct worker_happening *how)
{
    if (worker_linger_is_over(worker))
        worker_bury(worker);
    else
        worker_limit_begin(worker);
}

void life_cause(struct worker *worker, const struct worker_happening *how)
{
    worker_cause_set(worker, how->cause);
}

void life_end_cause(struct worker *worker, const struct worker_happening *how)
{
    life_cause(worker, how);
    life_end(worker, how);
}
