/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/str.h"
#include "config/value.h"
#include "files/number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The most ports of a list: each becomes a socket. */
#define PORTS_MAX 64

/* Reads one number of the list. Returns 0, or -EINVAL after it added an error. */
static int parse_port(const struct value_source *source, const char *text, struct port_list *list)
{
    char reason[NUMBER_REASON_MAX];
    int64_t port;

    if (!*text) {
        value_error(source, VALUE_SHOWN ": a port is missing; a list is written as 25,2525",
                    VALUE_ARGS(source));
        return -EINVAL;
    }
    int r = number_parse(text, &port, reason);
    if (r < 0) {
        value_error(source, VALUE_SHOWN ": %s", VALUE_ARGS(source), reason);
        return r;
    }
    if (port < 0 || port > UINT16_MAX)
        value_error(source, VALUE_SHOWN ": %.20s is not a port from 1 to 65535", VALUE_ARGS(source),
                    text);
    else if (port == 0)
        value_error(source,
                    VALUE_SHOWN ": 0 is not allowed in a list; alone, it disables the "
                                "service",
                    VALUE_ARGS(source));
    else if (port_list_has(list, port))
        value_error(source, VALUE_SHOWN ": port %d is listed twice", VALUE_ARGS(source), (int)port);
    else if (list->n_ports == PORTS_MAX)
        value_error(source, VALUE_SHOWN ": a list may have at most %d ports", VALUE_ARGS(source),
                    PORTS_MAX);
    else {
        list->ports[list->n_ports++] = (uint16_t)port;
        return 0;
    }
    return -EINVAL;
}

static void clear_ports(void *place)
{
    struct port_list *list = place;

    free(list->ports);
    *list = (struct port_list){0};
}

/* True for 0 in any notation: the list that means "no port". */
static bool is_zero(const char *text)
{
    char reason[NUMBER_REASON_MAX];
    int64_t port;

    return number_parse(text, &port, reason) == 0 && port == 0;
}

static int parse_ports(const struct value_source *source, void *place)
{
    _cleanup_str_ char *text = strdup(source->text);
    struct port_list list = {.ports = calloc(PORTS_MAX, sizeof(*list.ports))};
    int r = text && list.ports ? 0 : -ENOMEM;

    if (r == 0 && *text && !is_zero(text)) {
        char *rest = text;

        for (char *item; r == 0 && (item = strsep(&rest, ","));)
            r = parse_port(source, str_trim(item, STR_BLANKS), &list);
    }
    if (r < 0 || list.n_ports == 0)
        clear_ports(&list);
    if (r < 0)
        return r;
    clear_ports(place);
    *(struct port_list *)place = list;
    return 0;
}

static int copy_ports(const void *from, void *place)
{
    const struct port_list *list = from;
    struct port_list copy = {.n_ports = list->n_ports};

    if (list->n_ports > 0) {
        copy.ports = calloc(list->n_ports, sizeof(*copy.ports));
        if (!copy.ports)
            return -ENOMEM;
        memcpy(copy.ports, list->ports, list->n_ports * sizeof(*copy.ports));
    }
    *(struct port_list *)place = copy;
    return 0;
}

static void print_ports(const char *name, const void *place, FILE *stream)
{
    const struct port_list *list = place;

    fprintf(stream, "%s=", name);
    for (size_t i = 0; i < list->n_ports; i++)
        fprintf(stream, "%s%u", i > 0 ? "," : "", list->ports[i]);
    fputc('\n', stream);
}

static bool is_ports_set(const struct option *option _unused_, const void *place)
{
    return ((const struct port_list *)place)->n_ports > 0;
}

const struct option_type value_ports = {
    .name = "port or list of ports",
    .parse = parse_ports,
    .copy = copy_ports,
    .clear = clear_ports,
    .print = print_ports,
    .is_set = is_ports_set,
};

static bool is_mapped(const struct address *address)
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    return address->family == AF_INET6 && memcmp(address->bytes, prefix, sizeof(prefix)) == 0;
}

static int parse_address(const struct value_source *source, void *place)
{
    struct interface_address read = {0};
    const struct address *address = &read.address;
    const char *fault = *source->text ? interface_address_parse(source->text, &read) : NULL;

    if (fault) {
        if (!strchr(source->text, ','))
            return value_reject(source, fault);
        value_error(source,
                    VALUE_SHOWN
                    ": a service has one address; make another service for another address",
                    VALUE_ARGS(source));
        return -EINVAL;
    }
    if (is_mapped(address)) {
        value_error(source, VALUE_SHOWN ": write an IPv4 address as %u.%u.%u.%u",
                    VALUE_ARGS(source), address->bytes[12], address->bytes[13], address->bytes[14],
                    address->bytes[15]);
        return -EINVAL;
    }
    if (interface_address_is_link_local(&read) && !read.zone[0])
        value_warning(source,
                      VALUE_SHOWN ": a link-local address needs the interface that has it, as in "
                                  "fe80::1%%eth0",
                      VALUE_ARGS(source));
    *(struct interface_address *)place = read;
    return 0;
}

static bool is_address_set(const struct option *option _unused_, const void *place)
{
    return ((const struct interface_address *)place)->address.family != AF_UNSPEC;
}

static void print_address(const char *name, const void *place, FILE *stream)
{
    char text[INTERFACE_ADDRESS_TEXT_MAX] = "";

    if (is_address_set(NULL, place))
        interface_address_format(place, text);
    fprintf(stream, "%s=%s\n", name, text);
}

const struct option_type value_address = {
    .name = "IP address",
    .parse = parse_address,
    .size = sizeof(struct interface_address),
    .print = print_address,
    .is_set = is_address_set,
};

static void clear_networks(void *place)
{
    network_list_clear(place);
}

static int parse_networks(const struct value_source *source, void *place)
{
    char reason[NETWORK_REASON_MAX];
    struct network_list list;
    int r = network_list_parse(source->text, &list, reason);

    if (r < 0)
        return r == -EINVAL ? value_reject(source, reason) : r;
    clear_networks(place);
    *(struct network_list *)place = list;
    return 0;
}

static int copy_networks(const void *from, void *place)
{
    return network_list_copy(from, place);
}

static void print_networks(const char *name, const void *place, FILE *stream)
{
    const struct network_list *list = place;
    char text[NETWORK_TEXT_MAX];

    fprintf(stream, "%s=", name);
    for (size_t i = 0; i < list->n_items; i++)
        fprintf(stream, "%s%s", i > 0 ? "," : "", ip_network_format(&list->items[i], text));
    fputc('\n', stream);
}

static bool is_networks_set(const struct option *option _unused_, const void *place)
{
    return ((const struct network_list *)place)->n_items > 0;
}

const struct option_type value_networks = {
    .name = "network or list of networks",
    .parse = parse_networks,
    .copy = copy_networks,
    .clear = clear_networks,
    .print = print_networks,
    .is_set = is_networks_set,
};
