#include "dispatcherd/admission.h"

#include "base/time.h"
#include "dispatcherd/check.h"
#include "dispatcherd/report.h"
#include "protocol/debug.h"

#include <errno.h>
#include <sys/socket.h>

/* The address that the client connected to: the listener's own, unless that is the wildcard. */
static struct address local_address(const struct listener *listener, int fd)
{
    struct sockaddr_storage storage;
    socklen_t length = sizeof(storage);

    if (!address_is_wildcard(&listener->address) ||
        getsockname(fd, (struct sockaddr *)&storage, &length) < 0)
        return listener->address;
    return address_from_sockaddr((struct sockaddr *)&storage, length);
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

int admission_admit(struct listener *listener, int *fd, struct address peer)
{
    struct service *service = listener->service;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    struct connection *connection = connection_new(service, fd, now);

    if (!connection)
        return -ENOMEM;
    connection->is_tls = listener->is_tls;
    connection->peer = peer;
    connection->local = local_address(listener, connection->fd);
    listener->stuck_since = 0;
    statistics_count_accepted(service->statistics);
    report_arrival(connection);
    connection_check(connection);
    check_begin(connection);
    return 1;
}
