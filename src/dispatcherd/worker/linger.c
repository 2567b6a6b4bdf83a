/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/worker/linger.h"

#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/process/spawner.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"

#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>

/* How long a unit may exist after its process has ended, and after it was to be killed. */
#define LINGER_LIMIT_SEC 10
#define KILL_LIMIT_SEC   30

/* How often to look: at first, and in the end. */
#define LINGER_LOOK_MIN_USEC (20 * USEC_PER_MSEC)
#define LINGER_LOOK_MAX_USEC (USEC_PER_SEC / 2)

bool worker_is_unit(const struct worker *worker)
{
    return worker->service->context->spawner == &spawner_unit && !worker->is_child;
}

void worker_kill_child(const struct worker *worker)
{
    if (worker->is_child && worker->pidfd >= 0)
        (void)pidfd_send_signal(worker->pidfd, SIGKILL, NULL, 0);
}

void worker_kill(const struct worker *worker)
{
    struct subject subject = worker_subject(worker, MESSAGE_ID_WORKER_HUNG);

    worker_kill_child(worker);
    if (!worker_is_unit(worker))
        return;
    int r = worker_unit_kill(worker->unit);
    if (r < 0)
        report(
            LOG_ERR, &subject,
            "cannot kill the unit of worker %d: %s; until it has ended, it counts for MAX_PROCS; "
            "to kill it: systemctl kill --signal=KILL %s",
            (int)worker->pid, strerror(-r),
            worker->unit[0] ? worker->unit : "dispatcherd-NAME-worker@INSTANCE.service");
}

void worker_bury(struct worker *worker)
{
    struct service *service = worker->service;
    unsigned slot = worker->slot;

    worker_free(worker);
    pool_worker_exited(service->pool, slot, time_now_usec(CLOCK_MONOTONIC));
    service_touch(service);
}

static void linger_kill(struct worker *worker)
{
    struct subject subject = worker_subject(worker, MESSAGE_ID_WORKER_HUNG);

    /* This is repeated: the helper may be busy, or its socket closed for a moment. */
    worker->linger_kill_at = time_now_usec(CLOCK_MONOTONIC) + KILL_LIMIT_SEC * USEC_PER_SEC;
    report(LOG_ERR, &subject,
           "worker %d has exited, but its unit is still active; killing the unit",
           (int)worker->pid);
    worker_kill(worker);
}

void worker_linger_begin(struct worker *worker)
{
    worker->linger_look_usec = LINGER_LOOK_MIN_USEC;
    worker->linger_kill_at = time_now_usec(CLOCK_MONOTONIC) + LINGER_LIMIT_SEC * USEC_PER_SEC;
}

bool worker_linger_is_over(struct worker *worker)
{
    if (!worker_unit_is_alive(worker->peer))
        return true;
    if (time_now_usec(CLOCK_MONOTONIC) >= worker->linger_kill_at)
        linger_kill(worker);
    worker->linger_look_usec *= 2;
    if (worker->linger_look_usec > LINGER_LOOK_MAX_USEC)
        worker->linger_look_usec = LINGER_LOOK_MAX_USEC;
    return false;
}
