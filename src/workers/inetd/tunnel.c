/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/inetd/tunnel.h"

#include "base/fd.h"
#include "base/time.h"
#include "workers/common/wait.h"
#include "workers/common/way.h"
#include "workers/tls/tls_end.h"
#include "workers/tls/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* How long a client may take nothing of what a program wrote before its end. */
#define FINISH_STALL_USEC (30 * USEC_PER_SEC)

/* How long a client has, that was told the end, for closing its side: a close with unread bytes
 * would be a reset, which may overtake the last of them (RFC 2525, 2.17). */
#define CLOSE_USEC (2 * USEC_PER_SEC)

/* How long a text may take for a client that is sent away. */
#define SEND_AWAY_USEC (5 * USEC_PER_SEC)

enum {
    CLIENT,
    PROGRAM,
    N_ENDS
};

struct tunnel {
    struct tls_session tls;
    int epoll_fd;
    int program_fd; /* -1: the program has it */
    bool is_broken; /* neither side is to take what it got for the whole */
    bool is_reset;  /* the client's connection; a read would find it, but bytes are held back */
    struct end ends[N_ENDS];
    struct way ways[N_ENDS]; /* by where their bytes come from */
    struct way_tools tools;
};

/* The kernel gives a process ECONNRESET whose peer has closed a Unix socket with bytes unread
 * (unix(7) has no other way). So one byte is always left unread: at first one that nobody sent, and
 * then the last that was passed on. */
static ssize_t program_receive(struct end *end, void *buffer, size_t size)
{
    char *bytes = buffer;
    ssize_t n = recv(end->fd, bytes, size, MSG_DONTWAIT | MSG_PEEK);

    if (n > 1) {
        /* All but the last, which stands in the buffer already. */
        ssize_t n_taken = recv(end->fd, bytes, (size_t)n - 1, MSG_DONTWAIT);

        if (n_taken != n - 1)
            return -1;
        memmove(bytes, bytes + 1, (size_t)n - 1);
        return n - 1;
    }
    if (n < 0)
        return n;
    if (end->is_hung_up)
        return 0;
    errno = EAGAIN;
    return -1;
}

static ssize_t program_send(struct end *end, const void *bytes, size_t n_bytes)
{
    return send(end->fd, bytes, n_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int program_finish(struct end *end)
{
    (void)shutdown(end->fd, SHUT_WR);
    return 0;
}

static int tunnel_watch(const struct tunnel *tunnel, size_t i)
{
    struct epoll_event event = {.events = WAY_EVENTS, .data.u64 = i};

    return epoll_ctl(tunnel->epoll_fd, EPOLL_CTL_ADD, tunnel->ends[i].fd, &event) < 0 ? -errno : 0;
}

static int tunnel_connect(struct tunnel *tunnel)
{
    static const struct end_calls calls = {
        .receive = program_receive, .send = program_send, .finish = program_finish};
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return -errno;
    tunnel->program_fd = fds[1];
    tunnel->ends[CLIENT] = tls_end(&tunnel->tls);
    tunnel->ends[PROGRAM] = (struct end){.fd = fds[0], .calls = &calls, .can_write = true};
    tunnel->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (tunnel->epoll_fd < 0 || send(fds[1], "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return -errno;
    int r = tunnel_watch(tunnel, CLIENT);
    return r < 0 ? r : tunnel_watch(tunnel, PROGRAM);
}

int tunnel_open(struct tunnel **ret, struct tls_context *context, dispatcher_connection *connection)
{
    int stress_fd = dispatcher_worker_stress_fd(dispatcher_connection_worker(connection));
    enum tls_failure failure = TLS_FAILED_NO_CERTIFICATE;
    struct tunnel *tunnel = malloc(sizeof(*tunnel));

    if (!tunnel)
        return -ENOMEM;
    *tunnel = (struct tunnel){
        .epoll_fd = -1,
        .program_fd = -1,
        .ends = {{.fd = -1}, {.fd = -1}},
        .ways = {WAY_INIT, WAY_INIT},
    };
    if (context)
        failure = tls_session_start(&tunnel->tls, context, dispatcher_connection_fd(connection),
                                    stress_fd, false);
    tls_worker_report(connection, &tunnel->tls.facts, failure);
    if (failure != TLS_NO_FAILURE) {
        free(tunnel);
        return -EPROTO;
    }
    int r = tunnel_connect(tunnel);
    if (r < 0)
        tunnel_close(tunnel);
    else
        *ret = tunnel;
    return r;
}

const struct tls_facts *tunnel_facts(const struct tunnel *tunnel)
{
    return &tunnel->tls.facts;
}

int tunnel_program_fd(const struct tunnel *tunnel)
{
    return tunnel->program_fd;
}

void tunnel_begin(struct tunnel *tunnel)
{
    tunnel->program_fd = fd_close(tunnel->program_fd);
}

int tunnel_fd(const struct tunnel *tunnel)
{
    return tunnel->epoll_fd;
}

static enum way_result tunnel_move_way(struct tunnel *tunnel, size_t from)
{
    return way_move(&tunnel->ways[from], &tunnel->ends[from], &tunnel->ends[1 - from],
                    &tunnel->tools);
}

/* A program that reads no more may still have something to say. */
static enum tunnel_state tunnel_after(struct tunnel *tunnel, enum way_result up,
                                      enum way_result down)
{
    if (up == WAY_WRITE_FAILED)
        way_make_deaf(&tunnel->ways[CLIENT], &tunnel->tools);
    if (up == WAY_WAITS && tunnel->is_reset)
        up = WAY_READ_FAILED;
    if (up == WAY_READ_FAILED || down == WAY_READ_FAILED || down == WAY_WRITE_FAILED) {
        tunnel->is_broken = true;
        tunnel->ends[PROGRAM].fd = fd_close(tunnel->ends[PROGRAM].fd);
        return TUNNEL_CLIENT_GONE;
    }
    if (down == WAY_ENDED && (up == WAY_ENDED || tunnel->ways[CLIENT].is_deaf))
        return TUNNEL_CLOSED;
    return up == WAY_HAS_MORE || down == WAY_HAS_MORE ? TUNNEL_HAS_MORE : TUNNEL_IS_OPEN;
}

static void tunnel_note_events(struct tunnel *tunnel)
{
    struct epoll_event events[N_ENDS];
    int n = epoll_wait(tunnel->epoll_fd, events, N_ENDS, 0);

    for (int i = 0; i < n; i++) {
        uint32_t all = events[i].events;

        end_note_events(&tunnel->ends[events[i].data.u64], all);
        tunnel->is_reset |= events[i].data.u64 == CLIENT && all & EPOLLERR;
        /* No process has the program's end any more. */
        if (events[i].data.u64 == PROGRAM && all & EPOLLHUP)
            way_make_deaf(&tunnel->ways[CLIENT], &tunnel->tools);
    }
}

enum tunnel_state tunnel_move(struct tunnel *tunnel)
{
    tunnel_note_events(tunnel);
    enum way_result up = tunnel_move_way(tunnel, CLIENT);
    enum way_result down = tunnel_move_way(tunnel, PROGRAM);

    return tunnel_after(tunnel, up, down);
}

static int tunnel_wait(int fd, uint64_t end)
{
    const struct wait_for wait = {.fd = fd, .events = POLLIN, .stop_fd = -1, .stress_fd = -1};

    return wait_until_ready(&wait, (struct deadline){.usual = end, .stressed = end});
}

/* Reads what the client still sends, until it closes. */
static void tunnel_linger(struct tunnel *tunnel)
{
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + CLOSE_USEC;
    int fd = tunnel->tls.socket.fd;
    ssize_t n;

    do
        n = recv(fd, tunnel->tools.buffer, WAY_BUFFER_BYTES, MSG_DONTWAIT);
    while ((n > 0 && time_now_usec(CLOCK_MONOTONIC) < end) ||
           (n < 0 && errno == EAGAIN && tunnel_wait(fd, end) == 0));
}

/* A process of the session that could not be killed may still have the program's end, and go on
 * for ever with a client that does, too: it reads and writes nothing more from here on. */
static void tunnel_leave_program(struct tunnel *tunnel)
{
    struct end *program = &tunnel->ends[PROGRAM];

    way_make_deaf(&tunnel->ways[CLIENT], &tunnel->tools);
    (void)shutdown(program->fd, SHUT_RDWR);
    program->can_read = program->is_hung_up = true;
}

void tunnel_finish(struct tunnel *tunnel)
{
    enum tunnel_state state = TUNNEL_IS_OPEN;
    uint64_t n_moved = 0, end = 0;

    if (tunnel->is_broken)
        return;
    tunnel_leave_program(tunnel);
    while (!tunnel->ways[PROGRAM].is_ended) {
        state = tunnel_move(tunnel);
        if (state == TUNNEL_CLIENT_GONE)
            return;
        if (end == 0 || tunnel->tools.n_moved != n_moved)
            end = time_now_usec(CLOCK_MONOTONIC) + FINISH_STALL_USEC;
        n_moved = tunnel->tools.n_moved;
        if (state == TUNNEL_IS_OPEN && tunnel_wait(tunnel->epoll_fd, end) < 0)
            return;
    }
    tunnel_linger(tunnel);
}

void tunnel_send_away(struct tunnel *tunnel, const char *text)
{
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + SEND_AWAY_USEC;

    (void)tls_session_send(&tunnel->tls, text, strlen(text), end);
    tls_session_close(&tunnel->tls);
    tunnel_linger(tunnel);
}

void tunnel_close(struct tunnel *tunnel)
{
    if (!tunnel)
        return;
    for (size_t i = 0; i < N_ENDS; i++)
        way_clear(&tunnel->ways[i], &tunnel->tools);
    fd_close(tunnel->ends[PROGRAM].fd);
    fd_close(tunnel->program_fd);
    fd_close(tunnel->epoll_fd);
    tls_session_clear(&tunnel->tls);
    free(tunnel);
}
