/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/kernel_queue.h"

#include "base/macro.h"
#include "base/time.h"
#include "dispatcherd/core/service.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/* How often to look while nothing is accepted: "since when" is as exact as that. */
#define LOOK_INTERVAL_USEC USEC_PER_SEC

/* A full service accepts with each session that ends, which may be a thousand times a second. */
#define CROWD_INTERVAL_USEC (10 * USEC_PER_MSEC)

static bool read_tcp_info(int fd, struct tcp_info *ret)
{
    socklen_t length = sizeof(*ret);

    *ret = (struct tcp_info){0};
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, ret, &length) == 0;
}

struct queue_depth queue_look(const struct listener *listener)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof(memory);
    struct queue_depth depth = {0};
    struct tcp_info info;

    /* Of a listening socket, these two are the length of its queue and the limit of that. */
    if (!read_tcp_info(listener->fd, &info) || info.tcpi_state != TCP_LISTEN)
        return depth;
    depth.n_waiting = info.tcpi_unacked;
    depth.limit = info.tcpi_sacked;
    if (getsockopt(listener->fd, SOL_SOCKET, SO_MEMINFO, memory, &length) == 0)
        depth.n_dropped = memory[SK_MEMINFO_DROPS];
    return depth;
}

/* They are empty: there is nothing to look for. */
static void forget(struct service *service)
{
    /* The most frequent case by far: there was nothing before. */
    if (service->queue_look_at == 0)
        return;
    service->queue_since = 0;
    service->queue_look_at = 0;
    service->n_queued = 0;
    for (size_t i = 0; i < service->n_listeners; i++) {
        service->listeners[i].waiting_since = 0;
        service->listeners[i].stuck_since = 0;
    }
}

static void look(struct service *service, uint64_t now)
{
    service->n_queued = 0;
    for (size_t i = 0; i < service->n_listeners; i++) {
        struct listener *listener = &service->listeners[i];
        uint64_t n_waiting = queue_look(listener).n_waiting;

        service->n_queued += n_waiting;
        if (n_waiting == 0) {
            listener->waiting_since = 0;
            listener->stuck_since = 0;
            continue;
        }
        if (listener->waiting_since == 0)
            listener->waiting_since = now;
        if (listener->stuck_since == 0)
            listener->stuck_since = now;
    }
}

uint64_t queue_watch(struct service *service, bool is_accepting, uint64_t now)
{
    service->is_queueing = !is_accepting;
    if (is_accepting) {
        forget(service);
        return USEC_INFINITY;
    }
    if (now < service->queue_look_at)
        return service->queue_look_at;
    service->queue_look_at = now + LOOK_INTERVAL_USEC;
    look(service, now);
    if (service->n_queued == 0)
        service->queue_since = 0;
    else if (service->queue_since == 0)
        service->queue_since = now;
    return service->queue_look_at;
}

void queue_note_crowd(struct service *service, uint64_t now)
{
    uint64_t n = 0;

    if (!service->is_queueing || now < service->crowd_look_at)
        return;
    service->crowd_look_at = now + CROWD_INTERVAL_USEC;
    for (size_t i = 0; i < service->n_listeners; i++)
        n += queue_look(&service->listeners[i]).n_waiting;
    if (n > service->n_crowd)
        service->n_crowd = n;
}

uint64_t queue_stuck_since(const struct service *service)
{
    uint64_t since = 0;

    for (size_t i = 0; i < service->n_listeners; i++) {
        uint64_t one = service->listeners[i].stuck_since;

        if (one > 0 && (since == 0 || one < since))
            since = one;
    }
    return since;
}

uint64_t queue_time(int fd)
{
    struct tcp_info info;

    /* A socket that has sent nothing counts from the end of its handshake. */
    return read_tcp_info(fd, &info) ? info.tcpi_last_data_sent * USEC_PER_MSEC : 0;
}

const char *queue_cause(const struct service *service, uint64_t now)
{
    const struct pool *pool = service->pool;

    switch (policy_may_accept(pool, &service->pool_options, now)) {
    case ACCEPT_STOPPING:
        return "stopped";
    case ACCEPT_CHECKS_FULL:
        return "access checks";
    case ACCEPT_HANDOFFS_FULL:
        return "hand-offs";
    case ACCEPT_NO_PLACE:
        return pool->n_failed_starts > 0 && pool->n_ready == 0 ? "no worker can be started"
                                                               : "no free place in a worker";
    case ACCEPT_YES:
        break;
    }
    if (pool->n_waiting == 0)
        return pool->n_checking > 0 ? "access checks" : "";
    switch (policy_decide(pool, &service->pool_options, now).reason) {
    case REASON_HANDOFFS_FULL:
        return "hand-offs";
    case REASON_START_DELAYED:
        return "no worker can be started";
    default:
        return pool->n_starting > 0 ? "a worker is starting" : "no free place in a worker";
    }
}
