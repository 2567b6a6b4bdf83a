/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "config/number.h"
#include "config/text.h"
#include "config/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DNS_PORT 53

/* resolv.conf(5) has no more; and each that does not answer takes its time. */
#define SERVERS_MAX 3

/* Splits "192.0.2.1:5353" or "[2001:db8::1]:5353" at its last colon. Returns the port's text; NULL
 * if there is none. */
static char *split_port(char *text)
{
    char *colon = strrchr(text, ':');

    if (!colon || (text[0] == '[' ? colon[-1] != ']' : strchr(text, ':') != colon))
        return NULL;
    *colon = '\0';
    return colon + 1;
}

static int refuse(const struct value_source *source, const char *reason)
{
    value_error(source, VALUE_SHOWN ": %s", VALUE_ARGS(source),
                text_has_comment(source->text) ? "a comment must be on a line of its own" : reason);
    return -EINVAL;
}

/* One server of the list, which is kept with its port. */
static int parse_server(const struct value_source *source, char *item, struct str_list *list)
{
    char shown[ADDRESS_TEXT_MAX], reason[NUMBER_REASON_MAX];
    struct address address;
    int64_t port = DNS_PORT;
    const char *port_text = split_port(item);

    if (port_text && (number_parse(port_text, &port, reason) < 0 || port < 1 || port > UINT16_MAX))
        return refuse(source, "a port is a number from 1 to 65535");
    if (address_parse(item, &address) < 0 || address.scope_id != 0)
        return refuse(source, "a name server is written as 192.0.2.1, 192.0.2.1:5353, 2001:db8::1 "
                              "or [2001:db8::1]:5353");
    if (list->n_items == SERVERS_MAX)
        return refuse(source, "at most three name servers are allowed");
    address.port = (uint16_t)port;
    return str_list_append(list, address_format(&address, shown));
}

static void clear_servers(void *place)
{
    str_list_clear(place);
}

static int parse_servers(const struct value_source *source, void *place)
{
    _cleanup_str_ char *text = strdup(source->text);
    struct str_list list = {0};
    int r = text ? 0 : -ENOMEM;

    if (r == 0 && *text) {
        char *rest = text;

        for (char *item; r == 0 && (item = strsep(&rest, ","));)
            r = parse_server(source, text_trim(item), &list);
    }
    if (r < 0) {
        clear_servers(&list);
        return r;
    }
    clear_servers(place);
    *(struct str_list *)place = list;
    return 0;
}

static int copy_servers(const void *from, void *place)
{
    return str_list_copy(from, place);
}

static void print_servers(const char *name, const void *place, FILE *stream)
{
    const struct str_list *list = place;

    fprintf(stream, "%s=", name);
    for (size_t i = 0; i < list->n_items; i++)
        fprintf(stream, "%s%s", i > 0 ? "," : "", list->items[i]);
    fputc('\n', stream);
}

static bool is_servers_set(const struct option *option _unused_, const void *place)
{
    return ((const struct str_list *)place)->n_items > 0;
}

const struct option_type value_servers = {
    .name = "name server or list of name servers",
    .parse = parse_servers,
    .copy = copy_servers,
    .clear = clear_servers,
    .print = print_servers,
    .is_set = is_servers_set,
};
