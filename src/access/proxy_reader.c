/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/proxy_reader.h"

#include "base/macro.h"
#include "base/time.h"
#include "base/timer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* The timer may fire this much late. */
#define ACCURACY_USEC (10 * USEC_PER_MSEC)

#define FAILED_FAULT "the connection failed before it"

/* One header that is being read, as long as `io` exists. It ends with one callback. */
struct proxy_reader {
    int fd; /* the caller's */
    sd_event_source *io;
    struct timer limit;
    proxy_reader_callback callback;
    void *userdata;
};

static void stop(struct proxy_reader *reader)
{
    reader->io = sd_event_source_disable_unref(reader->io);
    timer_clear(&reader->limit);
}

/* The callback may free the reader. */
static void finish(struct proxy_reader *reader, const struct proxy_result *result)
{
    stop(reader);
    reader->callback(reader, result, reader->userdata);
}

static void fail(struct proxy_reader *reader, enum proxy_outcome outcome, const char *fault,
                 int error)
{
    const struct proxy_result result = {.outcome = outcome, .fault = fault, .error = error};

    finish(reader, &result);
}

typedef int name_of_socket(int fd, struct sockaddr *sa, socklen_t *length);

static struct address own_address(int fd, name_of_socket *name)
{
    struct sockaddr_storage sa;
    socklen_t length = sizeof(sa);

    if (name(fd, (struct sockaddr *)&sa, &length) < 0)
        return (struct address){.family = AF_UNSPEC};
    return address_from_sockaddr((const struct sockaddr *)&sa, length);
}

static void succeed(struct proxy_reader *reader, const struct proxy_header *header)
{
    struct proxy_result result = {
        .outcome = PROXY_READ,
        .is_proxied = header->has_addresses,
        .peer = header->peer,
        .local = header->local,
    };

    if (!header->has_addresses) {
        result.peer = own_address(reader->fd, getpeername);
        result.local = own_address(reader->fd, getsockname);
    }
    finish(reader, &result);
}

/* Reads the header, which is complete, off the socket. */
static void take_and_succeed(struct proxy_reader *reader, const struct proxy_header *header)
{
    char bytes[PROXY_HEADER_MAX_BYTES];
    ssize_t n = recv(reader->fd, bytes, header->length, MSG_DONTWAIT);

    if (n == (ssize_t)header->length)
        succeed(reader, header);
    else
        fail(reader, PROXY_FAILED, FAILED_FAULT, n < 0 ? -errno : -EIO);
}

/* Looks at what has arrived, and leaves it in the socket unless it is a whole header. `is_ended`:
 * no more will come. */
static void look(struct proxy_reader *reader, bool is_ended)
{
    char bytes[PROXY_HEADER_MAX_BYTES];
    struct proxy_header header;
    const char *fault;
    ssize_t n;

    do
        n = recv(reader->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN) {
        fail(reader, PROXY_FAILED, FAILED_FAULT, -errno);
        return;
    }
    is_ended |= n == 0;
    switch (proxy_header_parse(bytes, n > 0 ? (size_t)n : 0, &header, &fault)) {
    case PROXY_HEADER_MORE:
        if (is_ended)
            fail(reader, PROXY_CLOSED, "the connection was closed before it", 0);
        return;
    case PROXY_HEADER_INVALID:
        fail(reader, PROXY_INVALID, fault, 0);
        return;
    case PROXY_HEADER_COMPLETE:
        take_and_succeed(reader, &header);
        return;
    }
}

static int on_io(_unused_ sd_event_source *source, _unused_ int fd, uint32_t events, void *userdata)
{
    look(userdata, events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
    return 0;
}

static void on_limit(void *userdata)
{
    fail(userdata, PROXY_TIMED_OUT, "it did not arrive in time", 0);
}

int proxy_reader_start(sd_event *event, int fd, uint64_t limit_usec, proxy_reader_callback callback,
                       void *userdata, struct proxy_reader **ret)
{
    struct proxy_reader *reader = calloc(1, sizeof(*reader));

    if (!reader)
        return -ENOMEM;
    reader->fd = fd;
    reader->callback = callback;
    reader->userdata = userdata;
    /* An incomplete header stays in the socket, and would be reported again and again: EPOLLET
     * reports new bytes only. */
    int r = sd_event_add_io(event, &reader->io, fd, EPOLLIN | EPOLLRDHUP | EPOLLET, on_io, reader);
    if (r >= 0)
        r = timer_init(&reader->limit, event, ACCURACY_USEC, on_limit, reader);
    if (r < 0) {
        proxy_reader_free(reader);
        return r;
    }
    timer_set_in(&reader->limit, limit_usec);
    *ret = reader;
    return 0;
}

void proxy_reader_free(struct proxy_reader *reader)
{
    if (!reader)
        return;
    stop(reader);
    free(reader);
}
