/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control/control.h"

#include "base/fd.h"
#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/control/cache.h"
#include "dispatcherd/control/page.h"
#include "dispatcherd/control/places.h"
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
    /* Longer than the minute at which much of monitoring asks. */
    .call_usec = 120 * USEC_PER_SEC,
    /* Nobody types them. */
    .message_usec = 10 * USEC_PER_SEC,
    /* A client that was stopped loses its reply, and its place. */
    .reader_usec = 30 * USEC_PER_SEC,
};

/* Clients of services wait for one turn at most: for that of a call that takes longer to answer, or
 * for the turn's length. On a busy machine the administrator waits for the end of patience. */
static const struct control_share_settings trusted_share = {
    .turn_usec = 200,
    .patience_usec = 20 * USEC_PER_MSEC,
};

/* A tenth of the time for all strangers together: the page with its lists is ten to twenty calls of
 * some 100 us. */
static const struct control_share_settings strangers_share = {
    .turn_usec = 200,
    .rest_factor = 9,
    .patience_usec = 20 * USEC_PER_MSEC,
};

/* How often it is reported that clients had to give way. */
#define CROWD_INTERVAL_USEC (60 * USEC_PER_SEC)

/* Connections that are looked at in a time: a user who connects again and again gets a slow answer,
 * not the processor; and it does not matter that a lack of descriptors is not waited for. */
#define ACCEPT_INTERVAL_USEC (100 * USEC_PER_MSEC)
#define ACCEPT_BURST         50

/* How often it is told that clients cannot be served. */
#define SHORTAGE_INTERVAL_USEC (60 * USEC_PER_SEC)

struct control {
    struct control_settings settings;
    struct control_limits limits;
    struct control_trust trust;
    struct control_socket socket;
    struct control_client_list clients; /* owned */
    struct control_share *trusted;
    struct control_share *strangers; /* the page among them */
    struct control_cache cache;      /* of replies to strangers */
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

/* Whoever is connected can be seen from outside, so that the line need not name them. */
static void tell_crowd(struct control *control)
{
    const struct subject subject = {.message_id = MESSAGE_ID_CONTROL_CROWDED};
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (control->crowd_told_at > 0 && now < control->crowd_told_at + CROWD_INTERVAL_USEC)
        return;
    control->crowd_told_at = now;
    report(LOG_NOTICE, &subject,
           "the control socket has too many clients; closing those that have been idle for longest "
           "(%lu %s so far); \"ss -xp src %s\" lists them",
           control->n_displaced, str_plural(control->n_displaced, "connection", "connections"),
           control->settings.path);
}

/* Returns false if the caller cannot have a place. */
static bool make_place(struct control *control, const struct control_caller *caller)
{
    struct control_client *victim;

    bool has_place = control_places_find(&control->clients, caller, &victim);
    if (has_place && !victim)
        return true;
    control->n_displaced++;
    tell_crowd(control);
    if (victim)
        victim->gone(victim);
    return has_place;
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

/* A shortage that comes and goes is one shortage. */
static void tell_shortage(struct control *control, int error)
{
    const struct subject subject = {.message_id = MESSAGE_ID_CONTROL_FAILED};
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (control->shortage_told_at > 0 && now < control->shortage_told_at + SHORTAGE_INTERVAL_USEC)
        return;
    control->shortage_told_at = now;
    report(LOG_ERR, &subject, "cannot serve a client of the control socket: %s", strerror(-error));
}

/* What cannot be served, for whatever reason, is closed. */
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
    if (r < 0 || !make_place(control, &caller)) {
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
    while ((client = TAILQ_FIRST(&control->clients)))
        on_client_gone(client);
    control_share_free(control->trusted);
    control_share_free(control->strangers);
    control_cache_clear(&control->cache);
    sd_event_source_disable_unref(control->source);
    control_socket_close(&control->socket);
    free(control);
}
