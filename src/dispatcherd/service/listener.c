/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/service/listener.h"

#include "base/accept_error.h"
#include "base/event_source.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/syn_filter.h"
#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/service/arrival.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* How long to pause after an error that persists: usually the system lacks a descriptor or memory
 * for a connection. */
#define PAUSE_USEC (USEC_PER_SEC / 2)

/* How often a shortage is reported while it lasts or returns. */
#define SHORTAGE_INTERVAL_USEC (60 * USEC_PER_SEC)

/* Event sources point to their listeners, so there must be none while the array changes. */
static void forget_sources(struct service *service)
{
    for (size_t i = 0; i < service->n_listeners; i++) {
        struct listener *listener = &service->listeners[i];

        listener->source = sd_event_source_disable_unref(listener->source);
        timer_clear(&listener->pause);
        listener->is_paused = false;
    }
}

int listener_add(struct service *service, int *fd, bool is_tls, bool is_inherited)
{
    struct sockaddr_storage storage;
    socklen_t length = sizeof(storage);

    if (getsockname(*fd, (struct sockaddr *)&storage, &length) < 0)
        return -errno;
    int r = fd_set_nonblocking(*fd, true);
    if (r < 0)
        return r;
    /* A "dispatcherctl apply" that was killed while it closed the socket may have left its filter.
     */
    if (is_inherited)
        (void)syn_filter_detach(*fd);
    forget_sources(service);
    struct listener *listeners =
        reallocarray(service->listeners, service->n_listeners + 1, sizeof(*listeners));
    if (!listeners)
        return -ENOMEM;
    service->listeners = listeners;
    listeners[service->n_listeners++] = (struct listener){
        .service = service,
        .fd = take_fd(fd),
        .is_tls = is_tls,
        .is_inherited = is_inherited,
        .address = address_from_sockaddr((struct sockaddr *)&storage, length),
    };
    return 0;
}

static void yield(struct pace *pace)
{
    (void)sched_yield();
    pace_yielded(pace, time_now_usec(CLOCK_MONOTONIC));
}

static int on_connection(_unused_ sd_event_source *source, _unused_ int fd,
                         _unused_ uint32_t events, void *userdata)
{
    struct listener *listener = userdata;
    uint64_t now = event_loop_now(listener->service->context->event);

    if (pace_woken(&listener->pace, now, listener->service->statistics->n_admitted))
        yield(&listener->pace);
    listener->may_have_more = true;
    service_touch(listener->service);
    return 0;
}

static void on_pause_over(void *userdata)
{
    struct listener *listener = userdata;

    listener->is_paused = false;
    listener->may_have_more = true;
    service_touch(listener->service);
}

/* Adds the event source, turned off. Returns 0 or a negative errno. */
static int start(struct listener *listener)
{
    sd_event *event = listener->service->context->event;

    if (listener->source)
        return 0;
    int r = timer_init(&listener->pause, event, USEC_PER_MSEC, on_pause_over, listener);
    if (r >= 0)
        r = sd_event_add_io(event, &listener->source, listener->fd, EPOLLIN, on_connection,
                            listener);
    if (r < 0) {
        timer_clear(&listener->pause);
        return r;
    }
    event_source_off(listener->source);
    return 0;
}

int listeners_start(struct service *service)
{
    int r = 0;

    for (size_t i = 0; i < service->n_listeners && r >= 0; i++)
        r = start(&service->listeners[i]);
    return r;
}

/* Advice about the error, as the end of a line; empty if there is none. */
static const char *advice(int error)
{
    switch (error) {
    case -EMFILE:
        return "; LimitNOFILE= of dispatcherd.service may be too low";
    case -ENFILE:
        return "; the sysctl fs.file-max may be too low";
    case -EPERM:
    case -EACCES:
        return "; a security module forbids it";
    default:
        return "";
    }
}

/* A shortage that comes and goes is reported as one. */
static void tell_shortage(struct service *service, int error)
{
    const struct subject subject = {.service = service->options->name,
                                    .message_id = MESSAGE_ID_ACCEPT_FAILED};
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    service->n_shortages++;
    if (!time_take_turn(&service->shortage_told_at, now, SHORTAGE_INTERVAL_USEC))
        return;
    report(LOG_ERR, &subject,
           "cannot accept a connection: %s; clients wait in the kernel's queue%s "
           "(%lu %s so far)",
           strerror(-error), advice(error), service->n_shortages,
           str_plural(service->n_shortages, "time", "times"));
}

static void pause_accepting(struct listener *listener, int error)
{
    struct service *service = listener->service;

    tell_shortage(service, error);
    listener->may_have_more = false;
    listener->is_paused = true;
    event_source_off(listener->source);
    timer_set_in(&listener->pause, PAUSE_USEC);
}

/* Returns 1 if a connection was admitted or is gone, 0 if there is none, or a negative errno:
 * -ESHUTDOWN, which is none of accept4(2), if the socket no longer listens. */
static int accept_one(struct listener *listener)
{
    struct sockaddr_storage storage;
    socklen_t length = sizeof(storage);

    if (!reserve_fill(&listener->service->context->reserve))
        return -EMFILE;
    _cleanup_fd_ int fd = accept4(listener->fd, (struct sockaddr *)&storage, &length, SOCK_CLOEXEC);
    if (fd < 0) {
        int error = errno;

        switch (accept_error_classify(listener->fd, error)) {
        case ACCEPT_ERROR_EMPTY:
            return 0;
        case ACCEPT_ERROR_NEXT:
            return 1;
        case ACCEPT_ERROR_PAUSE:
            return -error;
        case ACCEPT_ERROR_LOST:
            reach_lost(&listener->service->reach, listener->service->options, listener, error);
            return -ESHUTDOWN;
        }
    }
    return arrival_take_in(listener, &fd,
                           address_from_sockaddr((struct sockaddr *)&storage, length));
}

/* The array has changed, so the others are watched anew when the service comes to rest
 * (listeners_watch()). */
static void lose(struct service *service, size_t index)
{
    listener_remove(service, index);
    for (size_t i = 0; i < service->n_listeners; i++)
        service->listeners[i].may_have_more = true;
}

bool listeners_accept(struct service *service)
{
    for (size_t i = 0; i < service->n_listeners; i++) {
        struct listener *listener =
            &service->listeners[(service->next_listener + i) % service->n_listeners];

        if (!listener->may_have_more || listener->is_paused || !listener->source)
            continue;
        int r = accept_one(listener);
        if (r > 0) {
            listener->may_have_more = pace_accepted(&listener->pace);
            service->next_listener = (service->next_listener + i + 1) % service->n_listeners;
            return true;
        }
        if (r == -ESHUTDOWN) {
            lose(service, (service->next_listener + i) % service->n_listeners);
            return true;
        }
        if (r < 0)
            pause_accepting(listener, r);
        listener->may_have_more = false;
    }
    return false;
}

/* Starts it if necessary. Without memory this is tried again after a pause. */
static bool is_started(struct listener *listener)
{
    struct service *service = listener->service;
    int r = start(listener);

    if (r < 0) {
        tell_shortage(service, r);
        timer_set_no_later(&service->timer, time_now_usec(CLOCK_MONOTONIC) + PAUSE_USEC);
    }
    return r >= 0;
}

bool listeners_are_paused(const struct service *service)
{
    for (size_t i = 0; i < service->n_listeners; i++)
        if (service->listeners[i].is_paused)
            return true;
    return false;
}

void listeners_watch(struct service *service, bool on)
{
    for (size_t i = 0; i < service->n_listeners; i++) {
        struct listener *listener = &service->listeners[i];

        if (listener->is_paused || !is_started(listener))
            continue;
        int r = sd_event_source_set_enabled(listener->source, on ? SD_EVENT_ON : SD_EVENT_OFF);
        if (r < 0)
            pause_accepting(listener, r);
    }
}

int listener_take(struct service *service, size_t index)
{
    int fd = service->listeners[index].fd;

    forget_sources(service);
    service->listeners[index] = service->listeners[--service->n_listeners];
    return fd;
}

void listener_remove(struct service *service, size_t index)
{
    fd_close(listener_take(service, index));
}

void listeners_close_own(struct service *service)
{
    /* All sockets of a service are of one kind: either passed, or bound here. */
    if (service->n_listeners > 0 && !service->listeners[0].is_inherited)
        listeners_free(service);
}

void listeners_free(struct service *service)
{
    for (size_t i = 0; i < service->n_listeners; i++) {
        struct listener *listener = &service->listeners[i];

        sd_event_source_disable_unref(listener->source);
        timer_clear(&listener->pause);
        fd_close(listener->fd);
    }
    free(service->listeners);
    service->listeners = NULL;
    service->n_listeners = 0;
}
