#include "dispatcherd/worker/drain_limit.h"

#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/worker/end.h"
#include "dispatcherd/worker/linger.h"

/* A worker that drains and has no session left is about to exit, by way of `stop`, which may take
 * 20 s (dispatcher-worker(3)). */
#define IDLE_DRAIN_LIMIT_SEC 30

/* A worker sees to the limit of its drain itself. It gets a little more. */
#define DRAIN_GRACE_SEC 5

/* How often a drain is looked at: sessions may end meanwhile. */
#define DRAIN_LOOK_USEC (5 * USEC_PER_SEC)

/* Looks whether a worker that drains has come to its end in time. What it does not do by itself is
 * done to it: it may not want to. */
static int on_drain(sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
    struct worker *worker = userdata;
    const struct pool_worker *in_pool = worker_in_pool(worker);
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    uint64_t idle_since =
        in_pool->idle_since > worker->drains_since ? in_pool->idle_since : worker->drains_since;
    bool is_idle = pool_worker_load(in_pool) == 0;
    uint64_t limit_at = is_idle ? idle_since + IDLE_DRAIN_LIMIT_SEC * USEC_PER_SEC : USEC_INFINITY;

    if (worker->drains_until < limit_at)
        limit_at = worker->drains_until;
    if (now >= limit_at) {
        worker_give_up(worker,
                       is_idle ? "drains, has no session left, and does not end"
                               : "drains for longer than its limit",
                       MESSAGE_ID_WORKER_HUNG);
        worker_kill(worker);
        return 0;
    }
    uint64_t look_at = now + DRAIN_LOOK_USEC;
    (void)sd_event_source_set_time(source, limit_at < look_at ? limit_at : look_at);
    (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    return 0;
}

/* A later limit counts if it is earlier. */
void worker_limit_drain(struct worker *worker, unsigned limit_sec)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    uint64_t until = now + (limit_sec + DRAIN_GRACE_SEC) * USEC_PER_SEC;

    if (worker->drains_since == 0) {
        worker->drains_since = now;
        worker->drains_until = USEC_INFINITY;
    }
    if (until < worker->drains_until)
        worker->drains_until = until;
    if (!worker->drain_source)
        (void)sd_event_add_time_relative(worker->service->context->event, &worker->drain_source,
                                         CLOCK_MONOTONIC, DRAIN_LOOK_USEC, USEC_PER_SEC / 10,
                                         on_drain, worker);
}
