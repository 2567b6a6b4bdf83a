#include "dispatcherd/worker/linger.h"

#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/worker/end.h"
#include "dispatcherd/worker/spawner.h"

#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>

/* How long a unit may take to be gone after its process, and after it was to be killed. */
#define LINGER_LIMIT_SEC 10
#define KILL_LIMIT_SEC   30

/* How often that is looked at: at first, and at last. */
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

/* A child is killed, a unit asked for to be. */
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
            "the unit of worker %d cannot be killed: %s; its place stays taken until it is gone; "
            "systemctl kill --signal=KILL %s does it",
            (int)worker->pid, strerror(-r),
            worker->unit[0] ? worker->unit : "dispatcherd-NAME-worker@INSTANCE.service");
}

/* Nothing of it is left: frees it, and makes its slot free. */
void worker_bury(struct worker *worker)
{
    struct service *service = worker->service;
    unsigned slot = worker->slot;

    worker_free(worker);
    pool_worker_exited(service->pool, slot, time_now_usec(CLOCK_MONOTONIC));
    service_touch(service);
}

static void kill_lingering(struct worker *worker)
{
    struct subject subject = worker_subject(worker, MESSAGE_ID_WORKER_HUNG);

    /* Again and again: the helper may be busy, or its socket down for a moment. */
    worker->linger_kill_at = time_now_usec(CLOCK_MONOTONIC) + KILL_LIMIT_SEC * USEC_PER_SEC;
    report(LOG_ERR, &subject, "worker %d is gone, but its unit is still there; killing the unit",
           (int)worker->pid);
    worker_kill(worker);
}

static int on_linger(sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
    struct worker *worker = userdata;

    if (!worker_unit_is_alive(worker->peer)) {
        worker_bury(worker);
        return 0;
    }
    if (time_now_usec(CLOCK_MONOTONIC) >= worker->linger_kill_at)
        kill_lingering(worker);
    worker->linger_look_usec *= 2;
    if (worker->linger_look_usec > LINGER_LOOK_MAX_USEC)
        worker->linger_look_usec = LINGER_LOOK_MAX_USEC;
    (void)sd_event_source_set_time_relative(source, worker->linger_look_usec);
    (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    return 0;
}

/* The process that said hello is gone; that its unit is gone as well comes a moment later, or not
 * at all where it was but a child of the unit's. Until then the place is not free: there are never
 * more units than MAX_PROCS. */
void worker_linger(struct worker *worker)
{
    struct service *service = worker->service;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    worker->is_lingering = worker->has_exited = true;
    worker->linger_look_usec = LINGER_LOOK_MIN_USEC;
    worker->linger_kill_at = now + LINGER_LIMIT_SEC * USEC_PER_SEC;
    if (worker_in_pool(worker)->state == POOL_WORKER_STARTING)
        (void)pool_worker_left(service->pool, worker->slot, now);
    else
        worker_set_draining(worker);
    worker->exit_source = sd_event_source_disable_unref(worker->exit_source);
    worker->drain_source = sd_event_source_disable_unref(worker->drain_source);
    sd_event_source_disable_unref(worker->limit_source);
    worker->limit_source = NULL;
    if (sd_event_add_time_relative(service->context->event, &worker->limit_source, CLOCK_MONOTONIC,
                                   worker->linger_look_usec, USEC_PER_MSEC, on_linger, worker) < 0)
        worker_bury(worker);
    else
        service_touch(service);
}
