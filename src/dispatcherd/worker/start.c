/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/worker/start.h"

#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/config/fingerprint.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/process/spawner.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/worker/channel.h"
#include "dispatcherd/worker/life.h"
#include "protocol/debug.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static int start_watch(struct worker *worker, pid_t pid)
{
    int r = worker_channel_watch(worker);

    if (r == 0)
        r = worker_life_begin(worker);
    if (r == 0 && pid > 0)
        r = worker_watch_process(worker, pid, true);
    return r;
}

/* A child that cannot be watched must not keep running. */
static void start_undo(pid_t pid)
{
    if (pid <= 0)
        return;
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

void worker_start(struct service *service, unsigned slot, enum decision_reason reason)
{
    struct spawned spawned = {.channel = -1};
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    char error[256] = "";

    reserve_release(&service->context->reserve);
    int r = service->context->spawner->start(service->options, &spawned, error, sizeof(error));
    if (r < 0) {
        failed_starts_note(service, reason, "%s", error[0] ? error : strerror(-r));
        pool_start_failed(service->pool, now);
        return;
    }
    _cleanup_fd_ int channel = spawned.channel;
    struct worker *worker = worker_new(service, slot, reason, &channel, now);
    r = worker ? start_watch(worker, spawned.pid) : -ENOMEM;
    if (r < 0) {
        start_undo(spawned.pid);
        failed_starts_note(service, reason, "cannot watch the new worker: %s", strerror(-r));
        if (worker) {
            worker_free(worker);
            pool_worker_exited(service->pool, slot, now);
        } else {
            pool_start_failed(service->pool, now);
        }
        return;
    }
    service->state->fingerprints[slot] = fingerprint_of(service->options);
    struct subject subject = worker_subject(worker, NULL);
    subject.reason = decision_reason_to_string(reason);
    report_event("worker started", service->options->debug, DEBUG_PROCESS, &subject,
                 "a worker is started: %s", subject.reason);
}
