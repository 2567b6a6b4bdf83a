/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/service/families.h"

#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/service/listener.h"
#include "generator/environment.h"

#include <netinet/in.h>
#include <sys/socket.h>

struct families {
    bool has_ipv4, has_ipv6;
};

static bool takes_ipv4_too(const struct listener *listener)
{
    int is_ipv6_only = 1;
    socklen_t length = sizeof(is_ipv6_only);

    return getsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &is_ipv6_only, &length) == 0 &&
           !is_ipv6_only;
}

/* The families in which the service has a socket at all addresses. */
static struct families families_at(const struct service *service, uint16_t port)
{
    struct families families = {0};

    for (size_t i = 0; i < service->n_listeners; i++) {
        const struct listener *listener = &service->listeners[i];

        if (listener->address.port != port || !address_is_wildcard(&listener->address))
            continue;
        if (listener->address.family == AF_INET6) {
            families.has_ipv6 = true;
            families.has_ipv4 |= takes_ipv4_too(listener);
        } else {
            families.has_ipv4 = true;
        }
    }
    return families;
}

static bool is_first_at_port(const struct service *service, size_t index)
{
    const struct listener *listeners = service->listeners;

    if (!address_is_wildcard(&listeners[index].address))
        return false;
    for (size_t i = 0; i < index; i++)
        if (listeners[i].address.port == listeners[index].address.port &&
            address_is_wildcard(&listeners[i].address))
            return false;
    return true;
}

bool families_compare(const struct service *service)
{
    const struct subject subject = {.service = service->options->name,
                                    .message_id = MESSAGE_ID_SOCKET_MISMATCH};
    bool host_has_ipv6 = unit_environment_here("").has_ipv6, is_one_missing = false;

    for (size_t i = 0; i < service->n_listeners; i++) {
        unsigned port = service->listeners[i].address.port;

        if (!is_first_at_port(service, i))
            continue;
        struct families families = families_at(service, (uint16_t)port);
        if (families.has_ipv4 && (families.has_ipv6 || !host_has_ipv6))
            continue;
        is_one_missing = true;
        report(LOG_WARNING, &subject,
               "listens on port %u for %s only; to serve both families, the socket unit needs "
               "ListenStream=0.0.0.0:%u and ListenStream=[::]:%u",
               port, families.has_ipv4 ? "IPv4" : "IPv6", port, port);
    }
    return is_one_missing;
}
