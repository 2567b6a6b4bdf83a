#include "dispatcherd/fullness.h"

#include "base/time.h"
#include "dispatcherd/message_ids.h"
#include "dispatcherd/report.h"

#include <inttypes.h>

/* A busy service is full for a moment again and again: it has room when it had room for so long. */
#define ROOM_USEC (5 * USEC_PER_SEC)

static bool is_full(const struct service *service, enum accept_verdict verdict)
{
    const struct pool *pool = service->pool;

    return verdict == ACCEPT_NO_PLACE && pool_total(pool) >= service->pool_options.max_procs &&
           pool->n_starting == 0;
}

static void say_full(struct service *service, uint64_t now)
{
    const struct pool *pool = service->pool;
    const struct subject subject = {.service = service->options->name,
                                    .message_id = MESSAGE_ID_SERVICE_FULL};

    service->full_since = now;
    statistics_count_full(service->statistics);
    report(LOG_WARNING, &subject,
           "is full: %u/%lu connections in %u workers; further clients wait in the kernel's queue "
           "(MAX_PROCS=%u, MAX_CONNS=%u)",
           pool->n_active + pool->n_handoffs, service_places(service), pool_total(pool),
           service->pool_options.max_procs, service->pool_options.max_conns);
}

static void say_room(struct service *service, uint64_t now)
{
    const struct subject subject = {.service = service->options->name,
                                    .message_id = MESSAGE_ID_SERVICE_HAS_ROOM};

    report(LOG_NOTICE, &subject, "has room again after %" PRIu64 " s",
           (now - service->full_since) / USEC_PER_SEC);
    service->full_since = 0;
}

uint64_t fullness_tell(struct service *service, enum accept_verdict verdict, uint64_t now)
{
    if (verdict == ACCEPT_STOPPING)
        return USEC_INFINITY;
    if (is_full(service, verdict)) {
        service->room_since = 0;
        if (service->full_since == 0)
            say_full(service, now);
        return USEC_INFINITY;
    }
    if (service->full_since == 0)
        return USEC_INFINITY;
    if (service->room_since == 0)
        service->room_since = now;
    if (now < service->room_since + ROOM_USEC)
        return service->room_since + ROOM_USEC;
    say_room(service, now);
    return USEC_INFINITY;
}
