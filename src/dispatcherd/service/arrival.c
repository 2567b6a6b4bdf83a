/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/service/arrival.h"

#include "base/time.h"
#include "dispatcherd/checks/check.h"
#include "dispatcherd/checks/reject.h"
#include "dispatcherd/report/report.h"
#include "protocol/debug.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The address that the client connected to: that of the listener, unless that is the wildcard. */
static int find_local_address(const struct listener *listener, int fd, struct address *ret)
{
    struct sockaddr_storage storage;
    socklen_t length = sizeof(storage);

    if (!address_is_wildcard(&listener->address)) {
        *ret = listener->address;
        return 0;
    }
    if (getsockname(fd, (struct sockaddr *)&storage, &length) < 0)
        return -errno;
    *ret = address_from_sockaddr((struct sockaddr *)&storage, length);
    return 0;
}

/* PORT_ACCESS must not decide about an address that is not the one the client connected to. */
static void reject_unknown(struct connection *connection, int error)
{
    char what[128];
    const struct connection_end end = {.how = HISTORY_REJECTED,
                                       .at = connection->accepted_at,
                                       .reason = REJECTED_FOR_ERROR,
                                       .what = what};

    snprintf(what, sizeof(what), "cannot determine the local address of a connection: %s",
             strerror(-error));
    reject_connection(connection, &end);
}

static void report_arrival(const struct connection *connection)
{
    const struct service_options *options = connection->service->options;
    char peer[ADDRESS_TEXT_MAX], local[ADDRESS_TEXT_MAX];

    if (!(options->debug & DEBUG_SERVICE_EXTRA))
        return;
    const struct subject subject = {
        .service = options->name, .connection_id = connection->id, .client = &connection->peer};
    report_debug(options->debug, DEBUG_SERVICE_EXTRA, &subject, "connection from %s to %s",
                 address_format(&connection->peer, peer),
                 address_format(&connection->local, local));
}

int arrival_take_in(struct listener *listener, int *fd, struct address peer)
{
    struct service *service = listener->service;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    struct connection *connection = connection_new(service, fd, now);

    if (!connection)
        return -ENOMEM;
    struct address local = listener->address;
    int r = find_local_address(listener, connection->fd, &local);
    connection_set_ends(connection, &peer, &local, listener->is_tls);
    listener->stuck_since = 0;
    statistics_count_accepted(service->statistics);
    report_arrival(connection);
    connection_check(connection);
    if (r < 0)
        reject_unknown(connection, r);
    else
        check_begin(connection);
    return 1;
}
