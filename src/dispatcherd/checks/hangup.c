#include "dispatcherd/checks/hangup.h"

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

static int on_hangup(sd_event_source *source, _unused_ int fd, uint32_t events, void *userdata)
{
    struct connection *connection = userdata;
    struct service *service = connection->service;

    if (!hangup_is_gone(connection, events)) {
        (void)sd_event_source_set_io_events(source, 0); /* hang-up and error are always told */
        return 0;
    }
    completion_gone(connection, time_now_usec(CLOCK_MONOTONIC));
    service_touch(service);
    return 0;
}

void hangup_watch_waiting(struct service *service)
{
    struct connection *connection;

    TAILQ_FOREACH(connection, &service->waiting, waiting_link)
    if (!connection->hangup_source)
        (void)sd_event_add_io(service->context->event, &connection->hangup_source, connection->fd,
                              EPOLLRDHUP, on_hangup, connection);
}
