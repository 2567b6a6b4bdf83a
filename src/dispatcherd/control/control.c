/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control/control.h"

#include "base/fd.h"
#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/control/cache.h"
#include "dispatcherd/control/client_limits.h"
#include "dispatcherd/control/page.h"
#include "dispatcherd/control/socket.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/store/closer.h"
#include "varlink/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const struct control_limits usual_limits = {
    /* More than the minute at which most monitoring asks. */
    .call_usec = 120 * USEC_PER_SEC,
    /* Programs write calls, people do not. */
    .message_usec = 10 * USEC_PER_SEC,
    /* A client that was stopped (SIGSTOP) loses its reply and its connection. */
    .reader_usec = 30 * USEC_PER_SEC,
};

/* Clients of services wait for one turn at most: its length, or that of one call, if that takes
 * longer. On a busy machine administrators wait until the patience is over. */
static const struct control_share_settings trusted_share = {
    .turn_usec = 200,
    .patience_usec = 20 * USEC_PER_MSEC,
};

/* All clients without rights together have a tenth of the time: the status page with its lists
 * needs ten to twenty calls of some 100 us. */
static const struct control_share_settings strangers_share = {
    .turn_usec = 200,
    .rest_factor = 9,
    .patience_usec = 20 * USEC_PER_MSEC,
};

/* How often to report that clients had to give way, or were turned away. */
#define CROWD_INTERVAL_USEC (60 * USEC_PER_SEC)

/* Between two rounds of accepting: a user who connects again and again gets slow answers, but not
 * the processor. Nor is a watch needed that waits for the end of a lack of descriptors. */
#define ACCEPT_INTERVAL_USEC (100 * USEC_PER_MSEC)
#define ACCEPT_BURST         50

/* How often to report that clients cannot be served. */
#define SHORTAGE_INTERVAL_USEC (60 * USEC_PER_SEC)

struct control {
    struct control_settings settings;
    struct control_limits limits;
    struct control_trust trust;
    struct control_socket socket;
    struct control_client_list clients; /* owned */
    struct control_share *trusted;
    struct control_share *strangers; /* including the status page */
    struct control_cache cache;      /* of replies to clients without rights */
    sd_event_source *source;
    unsigned long n_displaced;
    uint64_t crowd_told_at;    /* 0: never */
    uint64_t shortage_told_at; /* CLOCK_MONOTONIC, in microseconds; 0: never */
};

static void on_client_gone(struct control_client *client)
{
    struct control *control = client->owner;

    TAILQ_REMOVE(&control->clients, client, link);
    control_client_free(client);
}

/* What client_limits_find_room() has decided; without a victim the caller has to go. */
static const char *crowd_outcome(const struct control_client *victim)
{
    if (!victim)
        return "turning a new one away, since none of the others is idle";
    return control_client_is_idle(victim) ? "closing the one that has been idle for longest"
                                          : "closing the one that was answered most often";
}

/* The line need not name the clients: ss(8) shows who is connected. */
static void tell_crowd(struct control *control, const struct control_client *victim)
{
    const struct subject subject = {.message_id = MESSAGE_ID_CONTROL_CROWDED};
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (!time_take_turn(&control->crowd_told_at, now, CROWD_INTERVAL_USEC))
        return;
    report(LOG_NOTICE, &subject,
           "the control socket has too many clients; %s (%lu %s so far); \"ss -xp src %s\" lists "
           "them",
           crowd_outcome(victim), control->n_displaced,
           str_plural(control->n_displaced, "connection", "connections"), control->settings.path);
}

/* Makes room for the caller. Returns false if there is none for it. */
static bool make_room(struct control *control, const struct control_caller *caller)
{
    struct control_client *victim;

    bool has_room = client_limits_find_room(&control->clients, caller, &victim);
    if (has_room && !victim)
        return true;
    control->n_displaced++;
    tell_crowd(control, victim);
    if (victim)
        victim->gone(victim);
    return has_room;
}

static bool is_page(const struct control *control, int fd)
{
    return control->settings.is_page ? control->settings.is_page(fd) : control_page_is_peer(fd);
}

static int identify(struct control *control, int fd, struct control_caller *ret)
{
    struct control_peer peer = {0};

    int r = control->settings.read_peer ? control->settings.read_peer(fd, &peer)
                                        : control_peer_read(fd, &peer);
    if (r < 0)
        return r;
    *ret = (struct control_caller){
        .pid = peer.pid,
        .uid = peer.uid,
        .is_trusted = control_peer_is_trusted(&peer, &control->trust),
    };
    control_peer_clear(&peer);
    if (ret->is_trusted)
        return 0;
    ret->is_page = is_page(control, fd);
    ret->cache = &control->cache;
    return 0;
}

/* A shortage that comes and goes is reported as one. */
static void tell_shortage(struct control *control, int error)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (!time_take_turn(&control->shortage_told_at, now, SHORTAGE_INTERVAL_USEC))
        return;
    report_daemon(LOG_ERR, "cannot serve a client of the control socket: %s", strerror(-error));
}

/* Whatever the reason, a connection that cannot be served is closed. */
static int on_connect(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events,
                      void *userdata)
{
    struct control *control = userdata;
    struct control_caller caller;

    _cleanup_fd_ int client_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    int r = client_fd < 0 ? -errno : identify(control, client_fd, &caller);
    if (r < 0 && r != -EAGAIN && r != -ECONNABORTED && r != -EINTR)
        tell_shortage(control, r);
    if (client_fd < 0)
        return 0;
    if (r < 0 || !make_room(control, &caller)) {
        closer_drain(client_fd);
        return 0;
    }
    struct control_client *client = calloc(1, sizeof(*client));
    if (!client) {
        tell_shortage(control, -ENOMEM);
        return 0;
    }
    *client = (struct control_client){
        .gone = on_client_gone,
        .owner = control,
        .operations = control->settings.operations,
        .userdata = control->settings.userdata,
        .share = caller.is_trusted ? control->trusted : control->strangers,
        .priority = caller.is_page ? SD_EVENT_PRIORITY_IMPORTANT : SD_EVENT_PRIORITY_NORMAL,
        .limits = control->limits,
        .fd = take_fd(&client_fd),
        .caller = caller,
    };
    TAILQ_INSERT_TAIL(&control->clients, client, link);
    r = control_client_start(client);
    if (r < 0) {
        tell_shortage(control, r);
        on_client_gone(client);
    }
    return 0;
}

int control_new(const struct control_settings *settings, struct control **ret)
{
    struct control *control = calloc(1, sizeof(*control));

    if (!control)
        return -ENOMEM;
    varlink_memory_start(malloc);
    control->settings = *settings;
    control->limits = settings->limits ? *settings->limits : usual_limits;
    control->settings.limits = NULL;
    control->trust = control_trust_default();
    control->socket.fd = -1;
    TAILQ_INIT(&control->clients);
    int r = control_share_new(settings->event, &trusted_share, &control->trusted);
    if (r >= 0)
        r = control_share_new(settings->event, &strangers_share, &control->strangers);
    if (r >= 0)
        r = control_socket_open(&control->socket, settings->path);
    if (r >= 0)
        r = sd_event_add_io(settings->event, &control->source, control->socket.fd, EPOLLIN,
                            on_connect, control);
    if (r >= 0)
        r = sd_event_source_set_ratelimit(control->source, ACCEPT_INTERVAL_USEC, ACCEPT_BURST);
    if (r < 0) {
        control_free(control);
        return r;
    }
    *ret = control;
    return 0;
}

void control_free(struct control *control)
{
    struct control_client *client;

    if (!control)
        return;
    while ((client = TAILQ_FIRST(&control->clients))) {
        control_client_flush(client);
        on_client_gone(client);
    }
    control_share_free(control->trusted);
    control_share_free(control->strangers);
    control_cache_clear(&control->cache);
    sd_event_source_disable_unref(control->source);
    control_socket_close(&control->socket);
    free(control);
}
