/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/service/sockets.h"

#include "base/fd.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/service/families.h"
#include "dispatcherd/service/listener.h"
#include "dispatcherd/service/socket_match.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

/* For a socket whose name nobody chose, as systemd-socket-activate(1) and podman pass them. */
static struct service *find_by_address(struct service *const services[], size_t n_services, int fd,
                                       bool *ret_is_tls)
{
    struct sockaddr_storage storage;
    socklen_t length = sizeof(storage);
    char text[ADDRESS_TEXT_MAX];

    if (getsockname(fd, (struct sockaddr *)&storage, &length) < 0)
        return NULL;
    struct address address = address_from_sockaddr((struct sockaddr *)&storage, length);
    struct service *service = socket_match_address(services, n_services, &address, ret_is_tls);
    const struct subject subject = {.service = service ? service->options->name : NULL,
                                    .message_id = service ? NULL : MESSAGE_ID_SOCKET_UNKNOWN};
    if (service)
        report(
            LOG_NOTICE, &subject,
            "the socket at %s was passed without a name; it was identified by its address and port",
            address_format(&address, text));
    else
        report(LOG_WARNING, &subject,
               "ignoring the socket at %s, which was passed without a name: no enabled service of "
               "dispatcher.cnf has that address and port",
               address_format(&address, text));
    return service;
}

static void keep(struct spare_sockets *spare, sd_event *event, const char *name, int *fd)
{
    const struct subject subject = {.message_id = MESSAGE_ID_SOCKET_UNKNOWN};

    if (sd_is_socket(*fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
        report(LOG_WARNING, &subject,
               "ignoring the descriptor named '%s', which is not a listening stream socket", name);
        return;
    }
    int r = spare_sockets_add(spare, event, name, fd);
    if (r < 0)
        report(LOG_ERR, &subject, "cannot keep the socket named '%s': %s", name, strerror(-r));
    else
        report(LOG_WARNING, &subject,
               "the socket named '%s' belongs to no enabled service of dispatcher.cnf; its clients "
               "are turned away (FileDescriptorName= must name the service)",
               name);
}

static void assign(struct service *const services[], size_t n_services, struct spare_sockets *spare,
                   sd_event *event, int passed, const char *name)
{
    _cleanup_fd_ int fd = passed;
    struct subject subject = {.message_id = MESSAGE_ID_SOCKET_UNKNOWN};
    struct service *service;
    bool is_tls = false;

    if (socket_match_is_unnamed(name)) {
        service = find_by_address(services, n_services, fd, &is_tls);
    } else {
        service = socket_match_name(services, n_services, name, &is_tls);
        if (!service)
            keep(spare, event, name, &fd);
    }
    if (!service)
        return;
    subject.service = service->options->name;
    if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
        report(LOG_WARNING, &subject,
               "ignoring the socket named '%s', which is not a listening stream socket", name);
        return;
    }
    int r = listener_add(service, &fd, is_tls, true);
    if (r < 0)
        report(LOG_ERR, &subject, "cannot use the socket named '%s': %s", name, strerror(-r));
}

static const struct port_list *ports_of(const struct service_options *options, bool is_tls)
{
    return is_tls ? &options->tls_port : &options->port;
}

static bool is_as_configured(const struct service_options *options, const struct listener *listener)
{
    struct address host = listener->address;

    if (!port_list_has(ports_of(options, listener->is_tls), listener->address.port))
        return false;
    host.port = 0;
    if (!options->has_interface_address)
        return address_is_wildcard(&host);
    const struct address wanted = interface_address_now(&options->interface_address);
    return address_equal(&host, &wanted);
}

static bool is_listening_at(const struct service *service, uint16_t port, bool is_tls)
{
    for (size_t i = 0; i < service->n_listeners; i++)
        if (service->listeners[i].address.port == port && service->listeners[i].is_tls == is_tls)
            return true;
    return false;
}

static bool say_missing_ports(const struct service *service, bool is_tls)
{
    bool has_missing = false;
    const struct port_list *list = ports_of(service->options, is_tls);
    const struct origin *origin =
        &service->options->origins[is_tls ? OPTION_TLS_PORT : OPTION_PORT];
    const struct subject subject = {.service = service->options->name,
                                    .message_id = MESSAGE_ID_SOCKET_MISMATCH};

    for (size_t i = 0; i < list->n_ports; i++)
        if (!is_listening_at(service, list->ports[i], is_tls)) {
            has_missing = true;
            report(LOG_NOTICE, &subject,
                   "no socket listens on port %u, although %s:%u has %s=%u; the socket unit takes "
                   "precedence",
                   list->ports[i], origin->file ? origin->file : "dispatcher.cnf", origin->line,
                   is_tls ? "TLS_PORT" : "PORT", list->ports[i]);
        }
    return has_missing;
}

/* A drop-in of the socket unit takes precedence, but the administrator is told. */
bool sockets_compare(const struct service *service)
{
    const struct subject subject = {.service = service->options->name,
                                    .message_id = MESSAGE_ID_SOCKET_MISMATCH};
    char text[ADDRESS_TEXT_MAX];

    if (service->n_listeners == 0)
        return true; /* an alert reports that: reach.h */
    bool differs = false;
    for (size_t i = 0; i < service->n_listeners; i++)
        if (!is_as_configured(service->options, &service->listeners[i])) {
            differs = true;
            report(LOG_NOTICE, &subject,
                   "listens on %s, unlike dispatcher.cnf; the socket unit takes precedence",
                   address_format(&service->listeners[i].address, text));
        }
    differs |= say_missing_ports(service, false);
    differs |= say_missing_ports(service, true);
    differs |= families_compare(service);
    return differs;
}

void sockets_take_passed(struct service *const services[], size_t n_services,
                         struct spare_sockets *spare, sd_event *event, struct inherited *inherited)
{
    for (size_t i = 0; i < inherited->n_items; i++)
        if (inherited->items[i].fd >= 0)
            assign(services, n_services, spare, event, take_fd(&inherited->items[i].fd),
                   inherited->items[i].name);
    for (size_t i = 0; i < n_services; i++) {
        sockets_set_backlog(services[i]);
        (void)sockets_compare(services[i]);
    }
}

static int open_listening(const struct address *address, unsigned backlog)
{
    struct sockaddr_storage storage;
    socklen_t length = address_to_sockaddr(address, &storage);
    const int on = 1;

    _cleanup_fd_ int fd = socket(address->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        return -errno;
    if (address->family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&storage, length) < 0 || listen(fd, (int)backlog) < 0)
        return -errno;
    return take_fd(&fd);
}

static const char *advice(int error)
{
    switch (error) {
    case EINVAL:
    case ENODEV:
        return "; a link-local INTERFACE_ADDRESS needs an interface of this host after its %";
    case EADDRINUSE:
        return "; another program uses that port (ss -ltnp shows which)";
    case EACCES:
        return "; ports below 1024 need systemd's socket units, or root";
    case EADDRNOTAVAIL:
        return "; INTERFACE_ADDRESS is not an address of this host";
    default:
        return "";
    }
}

/* The host may have no IPv6 at all, or no such address. */
static bool is_missing_ipv6(const struct address *address, int r)
{
    return address->family == AF_INET6 && address_is_wildcard(address) &&
           (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL);
}

static struct listener *find_listener(const struct service *service, const struct address *address,
                                      bool is_tls)
{
    for (size_t i = 0; i < service->n_listeners; i++)
        if (address_equal(&service->listeners[i].address, address) &&
            service->listeners[i].is_tls == is_tls)
            return &service->listeners[i];
    return NULL;
}

static int bind_at(struct service *service, struct address address, uint16_t port, bool is_tls)
{
    const struct subject subject = {.service = service->options->name,
                                    .message_id = MESSAGE_ID_CANNOT_BIND};
    char text[ADDRESS_TEXT_MAX];

    address.port = port;
    struct listener *listener = find_listener(service, &address, is_tls);
    if (listener) {
        /* BACKLOG may have changed. For a socket that listens, listen(2) changes nothing else. */
        (void)listen(listener->fd, (int)service->options->backlog);
        return 0;
    }
    _cleanup_fd_ int fd = open_listening(&address, service->options->backlog);
    if (is_missing_ipv6(&address, fd))
        return 0;
    int r = fd < 0 ? fd : listener_add(service, &fd, is_tls, false);
    if (r < 0)
        report(LOG_ERR, &subject, "cannot listen on %s: %s%s", address_format(&address, text),
               strerror(-r), advice(-r));
    return r;
}

int sockets_bind(struct service *service)
{
    static const struct address any[] = {{.family = AF_INET}, {.family = AF_INET6}};
    const struct service_options *options = service->options;
    const struct address one = interface_address_now(&options->interface_address);
    const struct address *addresses = options->has_interface_address ? &one : any;
    size_t n_addresses = options->has_interface_address ? 1 : ELEMENTSOF(any);
    int result = 0;

    for (int is_tls = 0; is_tls <= 1; is_tls++) {
        const struct port_list *list = ports_of(options, is_tls);

        for (size_t i = 0; i < list->n_ports; i++)
            for (size_t k = 0; k < n_addresses; k++) {
                int r = bind_at(service, addresses[k], list->ports[i], is_tls);
                if (r < 0)
                    result = r;
            }
    }
    if (result == 0)
        reach_restored(&service->reach);
    return result;
}

void sockets_close_unwanted(struct service *service)
{
    for (size_t i = service->n_listeners; i > 0; i--)
        if (!is_as_configured(service->options, &service->listeners[i - 1]))
            listener_remove(service, i - 1);
}

/* Whether there is a drop-in, or a unit that replaces the generated one (systemd.unit(5)). */
static bool has_changed_unit(const struct service_options *options, bool is_tls)
{
    static const char *const forms[] = {
        "/etc/systemd/system.control/dispatcherd-%.40s%s.socket.d",
        "/run/systemd/system.control/dispatcherd-%.40s%s.socket.d",
        "/run/systemd/transient/dispatcherd-%.40s%s.socket",
        "/etc/systemd/system/dispatcherd-%.40s%s.socket",
        "/etc/systemd/system/dispatcherd-%.40s%s.socket.d",
        "/run/systemd/system/dispatcherd-%.40s%s.socket",
        "/run/systemd/system/dispatcherd-%.40s%s.socket.d",
    };
    char path[256];

    for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
        snprintf(path, sizeof(path), forms[i], options->unit_name, is_tls ? "-tls" : "");
        if (access(path, F_OK) == 0)
            return true;
    }
    return false;
}

void sockets_set_backlog(struct service *service)
{
    for (size_t i = 0; i < service->n_listeners; i++) {
        const struct listener *listener = &service->listeners[i];

        /* For a socket that listens, listen(2) changes nothing but the backlog. */
        if (listener->is_inherited && !has_changed_unit(service->options, listener->is_tls))
            (void)listen(listener->fd, (int)service->options->backlog);
    }
}

bool sockets_find_missing(const struct service *service, struct address *ret)
{
    static const struct address any = {.family = AF_INET};
    const struct service_options *options = service->options;

    for (int is_tls = 0; is_tls <= 1; is_tls++) {
        const struct port_list *list = ports_of(options, is_tls);

        for (size_t i = 0; i < list->n_ports; i++) {
            *ret = options->has_interface_address
                       ? interface_address_now(&options->interface_address)
                       : any;
            ret->port = list->ports[i];
            if (!find_listener(service, ret, is_tls))
                return true;
        }
    }
    return false;
}
