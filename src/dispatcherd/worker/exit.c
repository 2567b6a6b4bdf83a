/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/worker/exit.h"

#include "base/str.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "protocol/debug.h"

#include <stdio.h>
#include <string.h>

struct worker_exit worker_exit_describe(const struct worker *worker, const siginfo_t *info,
                                        char *text, size_t size)
{
    struct worker_exit exit = {.cause = text, .status = -1};

    if (!worker->is_child) {
        snprintf(text, size, "%s", worker->cause[0] ? worker->cause : "exited");
        exit.status = worker->exit_status;
        exit.signal = worker->exit_signal;
    } else if (info->si_code == CLD_EXITED) {
        exit.status = info->si_status;
        snprintf(text, size, "exited with status %d", info->si_status);
    } else {
        exit.signal = info->si_status;
        snprintf(text, size, "died of signal %d (%s)", info->si_status, strsignal(info->si_status));
    }
    return exit;
}

void worker_exit_note(const struct worker *worker, const char *how)
{
    char text[WORKER_CAUSE_MAX + 32];

    snprintf(text, sizeof(text), "worker %d %s", (int)worker->pid, how);
    alerts_note_death(&worker->service->alerts, text);
}

static bool exit_is_with_0(const struct worker *worker, const siginfo_t *info)
{
    return worker->is_child ? info->si_code == CLD_EXITED && info->si_status == 0
                            : worker->exit_status == 0;
}

/* A program that has no handler for SIGTERM, perhaps since it has just started, dies of it: an
 * administrator or a service manager has stopped it. */
static bool exit_was_terminated(const struct worker *worker, const siginfo_t *info)
{
    return worker->is_child ? info->si_code == CLD_KILLED && info->si_status == SIGTERM
                            : worker->was_stopped;
}

/* True if its end was wanted: by the daemon, by a service manager, or by the worker itself, which
 * has announced a drain. Such an end is no failed start, however young the worker was. */
static bool exit_is_orderly(const struct worker *worker, const siginfo_t *info)
{
    bool is_wanted = worker->retire_reason != REASON_NONE || worker->has_drained;

    if (worker->lost_reason)
        return false;
    return exit_was_terminated(worker, info) || (is_wanted && exit_is_with_0(worker, info));
}

static bool exit_is_failed_start(const struct worker *worker, const siginfo_t *info)
{
    if (exit_is_orderly(worker, info))
        return false;
    return worker->is_failed_start || (worker_in_pool(worker)->state == POOL_WORKER_STARTING &&
                                       worker->retire_reason == REASON_NONE);
}

/* An exit with status 0 that nobody asked for is no success. */
static const char *exit_when(const struct worker *worker, const siginfo_t *info)
{
    if (worker->lost_reason || !exit_is_with_0(worker, info))
        return "";
    return worker_in_pool(worker)->ready_at > 0 ? " by itself as soon as it was ready"
                                                : " before it was ready";
}

static void exit_report_failed_start(struct worker *worker, const siginfo_t *info, const char *how)
{
    /* An outdated one failed with what is not wanted any more; its successor may well start. */
    enum decision_reason reason =
        worker_in_pool(worker)->is_outdated ? REASON_OUTDATED : worker->start_reason;
    char process[32] = "";

    if (worker->pid > 0)
        snprintf(process, sizeof(process), " process %d,", (int)worker->pid);
    if (!worker->pid && !worker->cause[0] && !worker->lost_reason)
        how = "ended before it sent HELLO, and systemd does not report why";
    failed_starts_note(worker->service, reason, "%.150s,%s %s%s%s%s",
                       worker->service->options->image, process,
                       worker->lost_reason ? worker->lost_reason : how, exit_when(worker, info),
                       worker->last_lines ? "; its last lines: " : "",
                       worker->last_lines ? worker->last_lines : "");
}

static void exit_report_ordinary(const struct worker *worker, const char *how)
{
    const struct subject subject = worker_subject(worker, NULL);
    uint64_t n_total = worker_in_pool(worker)->n_total;

    report_debug(worker->service->options->debug, DEBUG_PROCESS, &subject,
                 "worker %d has ended after %llu %s (%s)", (int)worker->pid,
                 (unsigned long long)n_total, str_plural(n_total, "connection", "connections"),
                 worker->retire_reason == REASON_NONE
                     ? how
                     : decision_reason_to_string(worker->retire_reason));
}

static void exit_report_death(const struct worker *worker, const char *how)
{
    const struct subject subject = worker_subject(worker, MESSAGE_ID_WORKER_DIED);
    unsigned n_lost = worker_in_pool(worker)->n_active;

    report(LOG_ERR, &subject, "worker %d %s; %u %s lost%s%s", (int)worker->pid, how, n_lost,
           str_plural(n_lost, "session was", "sessions were"),
           worker->last_lines ? "; its last lines: " : "",
           worker->last_lines ? worker->last_lines : "");
    worker_exit_note(worker, how);
}

void worker_exit_report(struct worker *worker, const siginfo_t *info, const char *how)
{
    const struct pool_worker *in_pool = worker_in_pool(worker);
    bool is_ordinary =
        exit_is_with_0(worker, info) || exit_was_terminated(worker, info) ||
        (!worker->is_child && !worker->cause[0] && in_pool->state == POOL_WORKER_DRAINING);

    if (exit_is_failed_start(worker, info))
        exit_report_failed_start(worker, info, how);
    else if (is_ordinary && in_pool->n_active == 0)
        exit_report_ordinary(worker, how);
    else if (!worker->lost_reason)
        exit_report_death(worker, how);
}
