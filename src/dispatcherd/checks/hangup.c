/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/hangup.h"

#include "base/event_source.h"
#include "base/time.h"
#include "dispatcherd/core/completion.h"
#include "dispatcherd/core/context.h"

#include <sys/socket.h>

bool hangup_is_gone(const struct connection *connection, uint32_t events)
{
    char byte;

    if (events & (EPOLLHUP | EPOLLERR))
        return true;
    return recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void hangup_watch(sd_event_source **source, const struct connection *connection,
                  sd_event_io_handler_t on_hangup, void *userdata)
{
    if (!*source && sd_event_add_io(connection->service->context->event, source, connection->fd,
                                    EPOLLRDHUP, on_hangup, userdata) < 0)
        *source = NULL;
}

/* Hang-up and error are always reported. If the kernel refuses to watch for less, the closed side
 * would be reported again and again, so the source is turned off. */
void hangup_watch_end(sd_event_source *source)
{
    if (sd_event_source_set_io_events(source, 0) < 0)
        event_source_off(source);
}

static int on_hangup(sd_event_source *source, _unused_ int fd, uint32_t events, void *userdata)
{
    struct connection *connection = userdata;
    struct service *service = connection->service;

    if (!hangup_is_gone(connection, events)) {
        hangup_watch_end(source);
        return 0;
    }
    completion_end(connection, HISTORY_GONE, time_now_usec(CLOCK_MONOTONIC));
    service_touch(service);
    return 0;
}

void hangup_watch_waiting(struct service *service)
{
    struct connection *connection;

    TAILQ_FOREACH(connection, &service->waiting, queue_link)
        hangup_watch(&connection->hangup_source, connection, on_hangup, connection);
}
