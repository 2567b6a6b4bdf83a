/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/service/socket_match.h"

#include "base/str.h"

#include <string.h>

struct service *socket_match_name(struct service *const services[], size_t n_services,
                                  const char *name, bool *ret_is_tls)
{
    for (size_t i = 0; i < n_services; i++) {
        const char *unit_name = services[i]->options->unit_name;

        if (!str_starts_nocase(name, unit_name))
            continue;
        const char *rest = name + strlen(unit_name);
        *ret_is_tls = str_equal_nocase(rest, "-tls");
        if (*rest == '\0' || *ret_is_tls)
            return services[i];
    }
    return NULL;
}

bool socket_match_is_unnamed(const char *name)
{
    static const char suffix[] = ".socket";
    size_t length = strlen(name);

    return name[0] == '\0' || strcmp(name, "unknown") == 0 ||
           (length >= strlen(suffix) && strcmp(name + length - strlen(suffix), suffix) == 0);
}

static bool is_address_of(const struct service_options *options, struct address address)
{
    const struct address wanted = interface_address_now(&options->interface_address);

    address.port = 0;
    return options->has_interface_address && address_equal(&address, &wanted);
}

/* A service with this INTERFACE_ADDRESS takes precedence over those without one. */
static struct service *find(struct service *const services[], size_t n_services,
                            const struct address *address, bool is_chosen, bool *ret_is_tls)
{
    for (size_t i = 0; i < n_services; i++) {
        const struct service_options *options = services[i]->options;

        if (is_chosen ? !is_address_of(options, *address) : options->has_interface_address)
            continue;
        *ret_is_tls = port_list_has(&options->tls_port, address->port);
        if (*ret_is_tls || port_list_has(&options->port, address->port))
            return services[i];
    }
    return NULL;
}

struct service *socket_match_address(struct service *const services[], size_t n_services,
                                     const struct address *address, bool *ret_is_tls)
{
    if (address->family != AF_INET && address->family != AF_INET6)
        return NULL;
    struct service *service = find(services, n_services, address, true, ret_is_tls);
    return service ? service : find(services, n_services, address, false, ret_is_tls);
}
