/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/sockets/kernel_queue.h"

#include "base/time.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/* How often to look while nothing is accepted. The times in struct backlog are as exact as this. */
#define LOOK_INTERVAL_USEC USEC_PER_SEC

/* Between two looks at the queues of a full service, which accepts a connection whenever a session
 * ends: perhaps ten thousand times a second. Five clients that waited may be served within 10 ms.
 */
#define CROWD_INTERVAL_USEC USEC_PER_MSEC

/* For how long clients may be left in the queues when they are accepted again: they are taken out
 * as fast as they can be, but the kernel reports them only when the loop comes round. */
#define LEFT_USEC (100 * USEC_PER_MSEC)

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

    /* For a listening socket, these two are the length of its queue and its limit. */
    if (!read_tcp_info(listener->fd, &info) || info.tcpi_state != TCP_LISTEN)
        return depth;
    depth.n_waiting = info.tcpi_unacked;
    depth.limit = info.tcpi_sacked;
    if (getsockopt(listener->fd, SOL_SOCKET, SO_MEMINFO, memory, &length) == 0)
        depth.n_dropped = memory[SK_MEMINFO_DROPS];
    return depth;
}

/* The queues are empty. */
static void forget(struct backlog *backlog, struct listener listeners[], size_t n_listeners)
{
    /* By far the most frequent case: they were empty before. */
    if (backlog->look_at == 0)
        return;
    backlog->since = 0;
    backlog->look_at = 0;
    backlog->n_clients = 0;
    for (size_t i = 0; i < n_listeners; i++) {
        listeners[i].waiting_since = 0;
        listeners[i].stuck_since = 0;
    }
}

static void look(struct backlog *backlog, struct listener listeners[], size_t n_listeners,
                 uint64_t now)
{
    backlog->n_clients = 0;
    for (size_t i = 0; i < n_listeners; i++) {
        struct listener *listener = &listeners[i];
        uint64_t n_waiting = queue_look(listener).n_waiting;

        backlog->n_clients += n_waiting;
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

uint64_t queue_watch(struct backlog *backlog, struct listener listeners[], size_t n_listeners,
                     bool is_accepting, uint64_t now)
{
    if (is_accepting) {
        if (backlog->accepts_since == 0)
            backlog->accepts_since = now;
        else if (now - backlog->accepts_since >= LEFT_USEC)
            backlog->is_left = false;
        forget(backlog, listeners, n_listeners);
        return USEC_INFINITY;
    }
    backlog->is_left = true;
    backlog->accepts_since = 0;
    if (now < backlog->look_at)
        return backlog->look_at;
    backlog->look_at = now + LOOK_INTERVAL_USEC;
    look(backlog, listeners, n_listeners, now);
    if (backlog->n_clients == 0)
        backlog->since = 0;
    else if (backlog->since == 0)
        backlog->since = now;
    return backlog->look_at;
}

void queue_init(struct backlog *backlog)
{
    backlog->is_left = true;
}

uint64_t queue_take_crowd(struct backlog *backlog)
{
    uint64_t n_crowd = backlog->n_crowd;

    backlog->n_crowd = 0;
    return n_crowd;
}

void queue_note_crowd(struct backlog *backlog, const struct listener listeners[],
                      size_t n_listeners, uint64_t now)
{
    uint64_t n = 0;

    if (backlog->accepts_since != 0 || now < backlog->crowd_look_at)
        return;
    backlog->crowd_look_at = now + CROWD_INTERVAL_USEC;
    for (size_t i = 0; i < n_listeners; i++)
        n += queue_look(&listeners[i]).n_waiting;
    if (n > backlog->n_crowd)
        backlog->n_crowd = n;
}

uint64_t queue_stuck_since(const struct listener listeners[], size_t n_listeners)
{
    uint64_t since = 0;

    for (size_t i = 0; i < n_listeners; i++) {
        uint64_t one = listeners[i].stuck_since;

        if (one > 0 && (since == 0 || one < since))
            since = one;
    }
    return since;
}

uint64_t queue_time(struct backlog *backlog, int fd, uint64_t now)
{
    struct tcp_info info;

    /* For a socket that has sent nothing, tcpi_last_data_sent counts from the end of its handshake.
     */
    if (!backlog->is_left || !read_tcp_info(fd, &info))
        return 0;
    uint64_t usec = info.tcpi_last_data_sent * USEC_PER_MSEC;
    /* A long queue is not taken out at once, and whoever came first is the first. */
    if (usec >= LEFT_USEC && backlog->accepts_since != 0)
        backlog->accepts_since = now;
    return usec;
}
