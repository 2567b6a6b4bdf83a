/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/adopt.h"

#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/config/fingerprint.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/worker.h"
#include "dispatcherd/messages/orders.h"
#include "dispatcherd/messages/worker_ring.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/store/closer.h"
#include "dispatcherd/store/store.h"
#include "dispatcherd/worker/channel.h"
#include "dispatcherd/worker/life.h"

#include <string.h>

/* For workers whose service is gone: only the worker itself ends its drain. */
#define ADOPT_DRAIN_LIMIT_SEC 86400

/* The worker has no service any more, and will not be watched: it finishes its sessions by itself.
 */
static void let_drain(int channel, const char *name, const struct store_worker *worker,
                      const char *why)
{
    report_daemon(LOG_NOTICE,
                  "not taking over the worker in slot %u of service %s: %s; it finishes its "
                  "sessions and exits",
                  worker->slot, worker->unit_name, why);
    order_stray_drain(channel, ADOPT_DRAIN_LIMIT_SEC);
    closer_drain(channel);
    (void)store_remove(name);
}

/* Asks the worker what it holds. If it had a ring, that is gone with our predecessor, and the
 * worker gets a new one with the question. */
static int ask(struct worker *worker)
{
    _cleanup_fd_ int ring = -1;
    int r = worker->knows.ring ? worker_ring_open(worker, &ring) : 0;

    if (r == 0)
        r = worker_channel_watch(worker);
    /* No two daemons send the same one, since one starts after the other has ended. */
    if (worker->knows.answer)
        worker->awaited_answer = time_now_usec(CLOCK_MONOTONIC);
    return r == 0 ? order_adoption(worker, ring) : r;
}

static const struct pool_worker *find_saved(const struct service_state *saved, unsigned slot)
{
    if (!saved || slot >= saved->pool.n_slots ||
        saved->pool.workers[slot].state == POOL_WORKER_NONE)
        return NULL;
    return &saved->pool.workers[slot];
}

/* As many places as it had. If they are not known, its ring and the list of its connections have
 * room for the most that any worker may have, which is 70 KiB. */
static void restore(struct worker *worker, const struct pool_worker *saved)
{
    pool_worker_restore(worker->service->pool, worker->slot, saved);
    worker_limit_places(worker, saved->n_places);
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
    worker->knows = stored->knows;
    if (!worker->knows.pass)
        (void)fd_refuse_rights(worker->channel);
    if (find_saved(saved, slot))
        restore(worker, find_saved(saved, slot));
    uint64_t old = saved ? saved->fingerprints[slot] : 0, now = fingerprint_of(service->options);
    bool is_outdated = fingerprint_differs(old, now);
    if (is_outdated)
        pool_worker_outdated(service->pool, slot);
    service->state->fingerprints[slot] = is_outdated ? old : fingerprint_join(old, now);
    int r = ask(worker);
    if (r < 0) {
        report(LOG_ERR, &(struct subject){.service = service->options->name},
               "cannot take over the worker in slot %u: %s", slot, strerror(-r));
        worker_give_up(worker, "cannot be taken over", MESSAGE_ID_WORKER_HUNG);
    }
    return true;
}

unsigned adopt_workers(struct service *const services[], size_t n_services,
                       struct inherited *inherited, const struct state *old)
{
    unsigned n = 0;

    for (size_t i = 0; i < inherited->n_items; i++) {
        const char *name = inherited->items[i].name;
        struct store_worker stored;

        if (!store_parse_worker_name(name, &stored))
            continue;
        _cleanup_fd_ int channel = take_fd(&inherited->items[i].fd);
        struct service *service = services_find(services, n_services, stored.unit_name);
        if (stored.version != PROTOCOL_VERSION)
            let_drain(channel, name, &stored, "it speaks another version of the protocol");
        else if (!service)
            let_drain(channel, name, &stored, "its service no longer exists");
        else if (stored.slot >= POOL_WORKERS_MAX || service->workers[stored.slot])
            let_drain(channel, name, &stored, "its slot is in use");
        else if (adopt(service, &stored, &channel, old ? state_find(old, stored.unit_name) : NULL))
            n++;
    }
    return n;
}
