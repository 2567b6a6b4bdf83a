/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/common/way.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum {
    STEPS_MAX = 16,            /* of a session until it is the turn of others */
    SPLICE_BYTES = 1024 * 1024 /* asked for at once; the pipe takes less */
};

/* One step of a way: a result, or that there may be another. */
#define GO_ON (-1)

static ssize_t end_receive(struct end *end, void *buffer, size_t size)
{
    return end->calls ? end->calls->receive(end, buffer, size)
                      : recv(end->fd, buffer, size, MSG_DONTWAIT);
}

static ssize_t end_send(struct end *end, const void *bytes, size_t n_bytes)
{
    return end->calls ? end->calls->send(end, bytes, n_bytes)
                      : send(end->fd, bytes, n_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* shutdown(2) fails if the receiver has gone, which the other way finds out. */
static int end_finish(struct end *end)
{
    if (end->calls)
        return end->calls->finish(end);
    (void)shutdown(end->fd, SHUT_WR);
    return 0;
}

void end_note_events(struct end *end, uint32_t events)
{
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        end->is_hung_up = true;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        end->can_read = true;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        end->can_write = true;
    /* TLS may have to write before it can read, and read before it can write. */
    if (end->calls)
        end->can_read = end->can_write = true;
}

static void give_pipe_back(struct way *way, struct way_tools *tools)
{
    if (way->pipe.read_fd >= 0)
        pipes_give_back(&tools->pipes, &way->pipe, way->n_held);
    way->n_burst = 0;
}

static void drop_rest(struct way *way)
{
    free(way->rest);
    way->rest = NULL;
    way->rest_at = 0;
}

static int receiver_failed(struct end *to)
{
    if (errno == EAGAIN) {
        to->can_write = false;
        return WAY_WAITS;
    }
    to->is_reset = errno == ECONNRESET;
    return errno == EINTR ? GO_ON : WAY_WRITE_FAILED;
}

static int sender_failed(struct end *from)
{
    if (errno == EAGAIN) {
        from->can_read = false;
        return WAY_WAITS;
    }
    return errno == EINTR ? GO_ON : WAY_READ_FAILED;
}

static int deliver(struct way *way, struct end *to, struct way_tools *tools)
{
    if (!to->can_write)
        return WAY_WAITS;
    ssize_t n = way->rest ? end_send(to, way->rest + way->rest_at, way->n_held)
                          : splice(way->pipe.read_fd, NULL, to->fd, NULL, way->n_held,
                                   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n < 0)
        return receiver_failed(to);
    tools->n_moved += (uint64_t)n;
    way->n_held -= (size_t)n;
    way->rest_at += (size_t)n;
    if (way->n_held == 0)
        drop_rest(way);
    return GO_ON;
}

static int end_way(struct way *way, const struct end *from, struct end *to, struct way_tools *tools)
{
    give_pipe_back(way, tools);
    if (from->is_reset)
        return WAY_READ_FAILED;
    if (end_finish(to) == -EAGAIN) {
        to->can_write = false;
        way->is_ending = true;
        return WAY_WAITS; /* the sender's end is found again */
    }
    way->is_ending = false;
    way->is_ended = true;
    return WAY_ENDED;
}

/* Kernels before 6.5 ask the sockets, not the call, whether splice(2) may wait. */
static void become_bulk(struct way *way, const struct end *from, const struct end *to,
                        struct way_tools *tools)
{
    if (tools->cannot_splice || from->calls || to->calls)
        return;
    if (!way->is_nonblocking)
        way->is_nonblocking =
            fd_set_nonblocking(from->fd, true) == 0 && fd_set_nonblocking(to->fd, true) == 0;
    way->is_bulk = way->is_nonblocking;
}

static int fetch_by_pipe(struct way *way, struct end *from, struct end *to, struct way_tools *tools)
{
    if (way->pipe.read_fd < 0 && pipes_take(&tools->pipes, &way->pipe) < 0) {
        way->is_bulk = false;
        return GO_ON;
    }
    ssize_t n = splice(from->fd, NULL, way->pipe.write_fd, NULL, SPLICE_BYTES,
                       SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

    if (n == 0)
        return end_way(way, from, to, tools);
    if (n > 0) {
        way->n_held = (size_t)n;
        way->n_burst += (size_t)n;
        return GO_ON;
    }
    way->is_bulk = way->n_burst >= WAY_BUFFER_BYTES;
    give_pipe_back(way, tools);
    if (errno == EINVAL || errno == ENOSYS) {
        tools->cannot_splice = true; /* some kernels cannot, with some sockets */
        way->is_bulk = false;
        return GO_ON;
    }
    return sender_failed(from);
}

static int keep(struct way *way, const char *bytes, size_t n)
{
    way->rest = malloc(n);
    if (!way->rest)
        return WAY_WRITE_FAILED;
    memcpy(way->rest, bytes, n);
    way->rest_at = 0;
    way->n_held = n;
    return GO_ON;
}

static int fetch_by_copy(struct way *way, struct end *from, struct end *to, struct way_tools *tools)
{
    ssize_t n = end_receive(from, tools->buffer, WAY_BUFFER_BYTES);

    if (n == 0)
        return end_way(way, from, to, tools);
    if (n < 0)
        return sender_failed(from);
    /* What comes after a short read is another event, but for an end that is known already. A read
     * of TLS is one record of perhaps several that have come. */
    if (n < WAY_BUFFER_BYTES && !from->is_hung_up && !from->calls)
        from->can_read = false;
    ssize_t sent = end_send(to, tools->buffer, (size_t)n);
    if (sent < 0 && receiver_failed(to) == WAY_WRITE_FAILED)
        return WAY_WRITE_FAILED;
    if (sent > 0)
        tools->n_moved += (uint64_t)sent;
    if (n == WAY_BUFFER_BYTES && sent == n)
        become_bulk(way, from, to, tools);
    size_t n_sent = sent > 0 ? (size_t)sent : 0;
    return n_sent < (size_t)n ? keep(way, tools->buffer + n_sent, (size_t)n - n_sent) : GO_ON;
}

static int step(struct way *way, struct end *from, struct end *to, struct way_tools *tools)
{
    if (way->n_held > 0)
        return deliver(way, to, tools);
    if (!from->can_read || !to->can_write) {
        give_pipe_back(way, tools);
        return WAY_WAITS;
    }
    return way->is_bulk ? fetch_by_pipe(way, from, to, tools) : fetch_by_copy(way, from, to, tools);
}

enum way_result way_move(struct way *way, struct end *from, struct end *to, struct way_tools *tools)
{
    if (way->is_ended)
        return WAY_ENDED;
    if (way->is_deaf)
        return WAY_WAITS;
    for (int i = 0; i < STEPS_MAX; i++) {
        int r = step(way, from, to, tools);

        if (r != GO_ON)
            return (enum way_result)r;
    }
    return WAY_HAS_MORE;
}

void way_make_deaf(struct way *way, struct way_tools *tools)
{
    way_clear(way, tools);
    way->is_deaf = true;
}

void way_clear(struct way *way, struct way_tools *tools)
{
    give_pipe_back(way, tools);
    drop_rest(way);
    way->n_held = 0;
}
