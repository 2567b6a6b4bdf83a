/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/adopt.h"

#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/fingerprint.h"
#include "dispatcherd/core/worker.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/store/closer.h"
#include "dispatcherd/store/store.h"
#include "dispatcherd/worker/channel.h"
#include "dispatcherd/worker/life.h"
#include "dispatcherd/worker/orders.h"
#include "dispatcherd/worker/ring.h"

#include <stdlib.h>
#include <string.h>

/* Nothing but the worker itself ends its drain when its service is gone. */
#define ADOPT_DRAIN_LIMIT_SEC 86400

/* Nobody will look after it any more: it finishes its sessions by itself. */
static void let_drain(int channel, const char *name, const char *why)
{
    report_daemon(LOG_NOTICE,
                  "not taking over worker %s, which finishes its sessions by itself: %s", name,
                  why);
    order_stray_drain(channel, ADOPT_DRAIN_LIMIT_SEC);
    closer_drain(channel);
    (void)store_remove(name);
}

/* Its old ring is gone with our predecessor: it gets another one with the question, if it had one.
 */
static int ask(struct worker *worker)
{
    _cleanup_fd_ int ring = -1;
    int r = worker->has_asked_ring ? worker_ring_open(worker, &ring) : 0;

    if (r == 0)
        r = worker_channel_watch(worker);
    return r == 0 ? order_adoption(worker, ring) : r;
}

static const struct pool_worker *find_saved(const struct service_state *saved, unsigned slot)
{
    if (!saved || slot >= saved->pool.n_slots ||
        saved->pool.workers[slot].state == POOL_WORKER_NONE)
        return NULL;
    return &saved->pool.workers[slot];
}

static bool adopt(struct service *service, const struct store_worker *stored, int *channel,
                  const struct service_state *saved)
{
    unsigned slot = stored->slot;
    struct worker *worker =
        worker_new(service, slot, REASON_ADOPTED, channel, time_now_usec(CLOCK_MONOTONIC));

    if (!worker)
        return false;
    if (worker_life_begin(worker) < 0) {
        worker_free(worker);
        pool_worker_exited(service->pool, slot, 0);
        return false;
    }
    (void)fd_refuse_rights(worker->channel);
    worker->is_stored = true;
    worker->has_asked_ring = stored->has_ring;
    worker->knows_stop = stored->knows_stop;
    worker->knows_log = stored->knows_log;
    worker->knows_stress = stored->knows_stress;
    if (find_saved(saved, slot))
        pool_worker_restore(service->pool, slot, find_saved(saved, slot));
    if (!saved || saved->fingerprints[slot] != fingerprint_of(service->options))
        pool_worker_outdated(service->pool, slot);
    service->state->fingerprints[slot] = saved ? saved->fingerprints[slot] : 0;
    int r = ask(worker);
    if (r < 0) {
        report(LOG_ERR, &(struct subject){.service = service->options->name},
               "cannot take over the worker in slot %u: %s", slot, strerror(-r));
        worker_give_up(worker, "cannot be taken over", MESSAGE_ID_WORKER_HUNG);
    }
    return true;
}

unsigned adopt_workers(struct service *const services[], size_t n_services, struct passed *passed,
                       const struct state *old)
{
    unsigned n = 0;

    for (size_t i = 0; i < passed->n_items; i++) {
        const char *name = passed->items[i].name;
        struct store_worker stored;

        if (!store_parse_worker_name(name, &stored))
            continue;
        _cleanup_fd_ int channel = take_fd(&passed->items[i].fd);
        struct service *service = services_find(services, n_services, stored.unit_name);
        if (stored.version != PROTOCOL_VERSION)
            let_drain(channel, name, "it speaks another version of the protocol");
        else if (!service)
            let_drain(channel, name, "its service no longer exists");
        else if (stored.slot >= POOL_WORKERS_MAX || service->workers[stored.slot])
            let_drain(channel, name, "its slot is in use");
        else if (adopt(service, &stored, &channel, old ? state_find(old, stored.unit_name) : NULL))
            n++;
    }
    return n;
}
