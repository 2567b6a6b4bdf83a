/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/ident_client.h"

#include "base/fd.h"
#include "base/macro.h"
#include "base/time.h"
#include "base/timer.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>

/* The timer may fire this much late. */
#define ACCURACY_USEC (10 * USEC_PER_MSEC)

enum request_state {
    REQUEST_FREE,
    REQUEST_CONNECTING,
    REQUEST_READING, /* the question has been sent */
};

/* One query. */
struct ident_request {
    struct ident_clients *owner;
    enum request_state state;
    TAILQ_ENTRY(ident_request) link; /* of owner->free or owner->open */
    int fd;                          /* owned; -1: free */
    sd_event_source *io;             /* NULL while free */
    uint64_t until_usec;
    ident_callback callback;
    void *userdata;
    struct ident_ports ports;
    size_t n_read;
    char bytes[IDENT_REPLY_MAX_BYTES];
};

TAILQ_HEAD(requests, ident_request);

struct ident_clients {
    sd_event *event;
    struct timer timer; /* fires at the limit of the first of `open`; all have the same limit */
    uint16_t port;
    unsigned n_open;
    struct requests free;
    struct requests open; /* in the order of their limits */
    struct ident_request requests[IDENT_CLIENTS_MAX];
};

static void set_timer(struct ident_clients *clients)
{
    const struct ident_request *first = TAILQ_FIRST(&clients->open);

    timer_set_at(&clients->timer, first ? first->until_usec : USEC_INFINITY);
}

/* Moves a query from open to free. The timer stays as it is: if it fires early, that costs less
 * than to move it each time. */
static void close_request(struct ident_request *request)
{
    struct ident_clients *owner = request->owner;

    request->io = sd_event_source_disable_unref(request->io);
    request->fd = fd_close(request->fd);
    request->state = REQUEST_FREE;
    TAILQ_REMOVE(&owner->open, request, link);
    TAILQ_INSERT_HEAD(&owner->free, request, link);
    owner->n_open--;
}

/* The query is free before the callback, which may start a new one. */
static void finish(struct ident_request *request, const char *user)
{
    ident_callback callback = request->callback;
    void *userdata = request->userdata;

    close_request(request);
    callback(user, userdata);
}

/* The connection is made, or has failed: sends the question, all of which fits into the buffer of a
 * fresh socket. Returns false if no answer will come. */
static bool send_query(struct ident_request *request)
{
    char query[IDENT_QUERY_MAX];
    size_t length = ident_query_write(request->ports, query);

    if (send(request->fd, query, length, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)length)
        return false;
    request->state = REQUEST_READING;
    return sd_event_source_set_io_events(request->io, EPOLLIN) >= 0;
}

static void read_reply(struct ident_request *request)
{
    char user[IDENT_USER_MAX + 1];
    ssize_t n = recv(request->fd, request->bytes + request->n_read,
                     sizeof(request->bytes) - request->n_read, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        request->n_read += (size_t)n;
    enum ident_reply reply =
        n < 0 ? IDENT_REPLY_NONE
              : ident_reply_read(request->bytes, request->n_read, n == 0, request->ports, user);
    if (reply != IDENT_REPLY_MORE)
        finish(request, reply == IDENT_REPLY_USER ? user : NULL);
}

static int on_io(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events,
                 void *userdata)
{
    struct ident_request *request = userdata;

    if (request->state == REQUEST_READING)
        read_reply(request);
    else if (!send_query(request))
        finish(request, NULL);
    return 0;
}

static void on_timer(void *userdata)
{
    struct ident_clients *clients = userdata;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    struct ident_request *request;

    while ((request = TAILQ_FIRST(&clients->open)) && request->until_usec <= now)
        finish(request, NULL);
    set_timer(clients);
}

/* Starts to connect from one address to another. Returns the descriptor or a negative errno. */
static int start_connecting(struct address from, struct address to)
{
    struct sockaddr_storage from_sa, to_sa;
    socklen_t from_length = address_to_sockaddr(&from, &from_sa);
    socklen_t to_length = address_to_sockaddr(&to, &to_sa);
    const int on = 1;

    if (from_length == 0 || to_length == 0 || from.family != to.family)
        return -EAFNOSUPPORT;
    _cleanup_fd_ int fd = socket(from.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    /* connect() chooses the port, so that it need differ from those of the same destination only.
     */
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)&from_sa, from_length) < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&to_sa, to_length) < 0 && errno != EINPROGRESS)
        return -errno;
    return take_fd(&fd);
}

/* Moves a query from free to open. */
static void open_request(struct ident_request *request)
{
    struct ident_clients *owner = request->owner;

    request->state = REQUEST_CONNECTING;
    request->n_read = 0;
    request->until_usec = time_now_usec(CLOCK_MONOTONIC) + IDENT_LIMIT_USEC;
    TAILQ_REMOVE(&owner->free, request, link);
    TAILQ_INSERT_TAIL(&owner->open, request, link);
    owner->n_open++;
    if (TAILQ_FIRST(&owner->open) == request)
        set_timer(owner);
}

int ident_ask(struct ident_clients *clients, const struct address *server,
              const struct address *client, ident_callback callback, void *userdata,
              struct ident_request **ret)
{
    struct ident_request *request = TAILQ_FIRST(&clients->free);
    struct address from = *server;
    struct address to = *client;

    if (!request)
        return -EBUSY;
    from.port = 0;
    to.port = clients->port;
    _cleanup_fd_ int fd = start_connecting(from, to);
    if (fd < 0)
        return fd;
    int r = sd_event_add_io(clients->event, &request->io, fd, EPOLLOUT, on_io, request);
    if (r < 0)
        return r;
    request->fd = take_fd(&fd);
    request->ports = (struct ident_ports){.client = client->port, .server = server->port};
    request->callback = callback;
    request->userdata = userdata;
    open_request(request);
    *ret = request;
    return 0;
}

void ident_cancel(struct ident_request *request)
{
    if (request)
        close_request(request);
}

int ident_clients_new(sd_event *event, uint16_t port, struct ident_clients **ret)
{
    struct ident_clients *clients = calloc(1, sizeof(*clients));

    if (!clients)
        return -ENOMEM;
    clients->event = sd_event_ref(event);
    clients->port = port;
    TAILQ_INIT(&clients->free);
    TAILQ_INIT(&clients->open);
    for (size_t i = 0; i < IDENT_CLIENTS_MAX; i++) {
        clients->requests[i].owner = clients;
        clients->requests[i].fd = -1;
        TAILQ_INSERT_TAIL(&clients->free, &clients->requests[i], link);
    }
    int r = timer_init(&clients->timer, event, ACCURACY_USEC, on_timer, clients);
    if (r < 0) {
        ident_clients_free(clients);
        return r;
    }
    *ret = clients;
    return 0;
}

void ident_clients_free(struct ident_clients *clients)
{
    struct ident_request *request;

    if (!clients)
        return;
    while ((request = TAILQ_FIRST(&clients->open)))
        close_request(request);
    timer_clear(&clients->timer);
    sd_event_unref(clients->event);
    free(clients);
}

unsigned ident_clients_n_open(const struct ident_clients *clients)
{
    return clients->n_open;
}
