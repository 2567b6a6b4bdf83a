/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dns/dns_client.h"

#include "base/macro.h"
#include "base/time.h"
#include "base/timer.h"
#include "dns/cares.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/queue.h>

/* A time-out may be noticed this much late. */
#define ACCURACY_USEC (10 * USEC_PER_MSEC)

/* A socket that c-ares opens and closes. */
struct watch {
    LIST_ENTRY(watch) link;
    struct dns_client *client;
    int fd;
    sd_event_source *io;
};

struct dns_client {
    sd_event *event;
    ares_channel channel; /* NULL before its first and after its last use */
    struct timer timer;   /* set to the end of the first wait of c-ares */
    LIST_HEAD(watches, watch) watches;
};

/* A query; owned by c-ares until its callback. */
struct question {
    enum dns_type type;
    dns_client_callback callback;
    void *userdata;
};

static int error_of_status(int status)
{
    switch (status) {
    case ARES_ETIMEOUT:
        return -ETIMEDOUT;
    case ARES_ENOMEM:
        return -ENOMEM;
    case ARES_ECONNREFUSED:
        return -ECONNREFUSED;
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION:
        return -ECANCELED;
    case ARES_EBADNAME:
    case ARES_EBADSTR:
    case ARES_EBADFAMILY:
    case ARES_EFILE:
    case ARES_ENOTINITIALIZED:
        return -EINVAL;
    case ARES_EBADRESP:
        return -EBADMSG;
    default:
        return -EREMOTEIO;
    }
}

static void on_answer(void *userdata, int status, const unsigned char *bytes, size_t size)
{
    struct question *question = userdata;
    struct dns_fact fact;
    int r;

    if (bytes && size > 0 &&
        (status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND))
        r = dns_answer_read(bytes, size, question->type, &fact);
    else
        r = error_of_status(status);
    question->callback(question->userdata, r, r < 0 ? NULL : &fact);
    free(question);
}

static void set_timer(struct dns_client *client)
{
    struct timeval left;

    if (!ares_timeout(client->channel, NULL, &left)) {
        timer_stop(&client->timer);
        return;
    }
    timer_set_in(&client->timer, (uint64_t)left.tv_sec * USEC_PER_SEC + (uint64_t)left.tv_usec);
}

/* Older releases of c-ares walk through all queries to say when the first one times out. A new
 * query does not time out before the first wait is over: so a timer that fires no later than that
 * stays as it is, and one that is set to an older query's second, longer wait is set earlier. */
static void advance_timer(struct dns_client *client)
{
    uint64_t first_wait_ends =
        time_now_usec(CLOCK_MONOTONIC) + CARES_FIRST_WAIT_MSEC * USEC_PER_MSEC;

    if (CARES_ADAPTS_WAITS || !timer_is_set(&client->timer))
        set_timer(client);
    else
        timer_set_no_later(&client->timer, first_wait_ends);
}

static void on_timer(void *userdata)
{
    struct dns_client *client = userdata;

    ares_process_fd(client->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(client);
}

static int on_io(_unused_ sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    const struct watch *watch = userdata;
    struct dns_client *client = watch->client;
    bool reads = events & (EPOLLIN | EPOLLERR | EPOLLHUP);

    /* The watch may be freed in this call. */
    ares_process_fd(client->channel, reads ? fd : ARES_SOCKET_BAD,
                    events & EPOLLOUT ? fd : ARES_SOCKET_BAD);
    return 0;
}

static struct watch *find_watch(const struct dns_client *client, int fd)
{
    struct watch *watch;

    LIST_FOREACH(watch, &client->watches, link)
        if (watch->fd == fd)
            return watch;
    return NULL;
}

static void watch_free(struct watch *watch)
{
    LIST_REMOVE(watch, link);
    sd_event_source_disable_unref(watch->io);
    free(watch);
}

static void watch_new(struct dns_client *client, int fd, uint32_t events)
{
    struct watch *watch = calloc(1, sizeof(*watch));

    if (!watch)
        return;
    *watch = (struct watch){.client = client, .fd = fd};
    LIST_INSERT_HEAD(&client->watches, watch, link);
    if (sd_event_add_io(client->event, &watch->io, fd, events, on_io, watch) < 0)
        watch_free(watch);
}

/* c-ares wants this socket watched; it closes it only after a further call. If it cannot be
 * watched, its queries time out. */
static void on_socket(void *userdata, ares_socket_t fd, int readable, int writable)
{
    struct dns_client *client = userdata;
    struct watch *watch = find_watch(client, fd);
    uint32_t events = (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U);

    if (events == 0 && watch)
        watch_free(watch);
    else if (watch && sd_event_source_set_io_events(watch->io, events) < 0)
        watch_free(watch);
    else if (watch)
        return;
    else if (events != 0)
        watch_new(client, fd, events);
}

static int open_channel(struct dns_client *client, const char *servers)
{
    int status = cares_open(servers, on_socket, client, &client->channel);

    return status == ARES_SUCCESS ? 0 : error_of_status(status);
}

int dns_client_new(sd_event *event, const char *servers, struct dns_client **ret)
{
    struct dns_client *client = calloc(1, sizeof(*client));

    if (!client)
        return -ENOMEM;
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        free(client);
        return -ENOMEM;
    }
    LIST_INIT(&client->watches);
    client->event = sd_event_ref(event);
    int r = open_channel(client, servers);
    if (r >= 0)
        r = timer_init(&client->timer, event, ACCURACY_USEC, on_timer, client);
    if (r < 0) {
        dns_client_free(client);
        return r;
    }
    *ret = client;
    return 0;
}

void dns_client_free(struct dns_client *client)
{
    if (!client)
        return;
    /* This also closes its sockets, which frees the watches. */
    if (client->channel)
        ares_destroy(client->channel);
    timer_clear(&client->timer);
    sd_event_unref(client->event);
    free(client);
    ares_library_cleanup();
}

void dns_client_ask(struct dns_client *client, const char *name, enum dns_type type,
                    dns_client_callback callback, void *userdata)
{
    struct question *question = malloc(sizeof(*question));

    if (!question) {
        callback(userdata, -ENOMEM, NULL);
        return;
    }
    *question = (struct question){.type = type, .callback = callback, .userdata = userdata};
    cares_ask(client->channel, name, type, on_answer, question);
    advance_timer(client);
}
