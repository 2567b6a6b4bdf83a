/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/str.h"
#include "config/value.h"
#include "files/number.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define DNS_PORT   53
#define STORE_PORT 6379

/* resolv.conf(5) has no more either, and each server that does not answer costs time. */
#define SERVERS_MAX 3

/* A store of a fleet with its replicas, or the nodes of a small cluster. */
#define STORES_MAX 8

#define UNIX_PREFIX "unix:"

/* RFC 1035, 2.3.4. */
#define NAME_MAX_BYTES 253

/* Splits "192.0.2.1:5353" or "[2001:db8::1]:5353" at the last colon. Returns the text of the port;
 * NULL if there is none. */
static char *split_port(char *text)
{
    char *colon = strrchr(text, ':');

    if (!colon || (text[0] == '[' ? colon[-1] != ']' : strchr(text, ':') != colon))
        return NULL;
    *colon = '\0';
    return colon + 1;
}

/* A name of a host (RFC 1123): what ends in a number would be an address. */
static bool is_host_name(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t length = strlen(text);
    const char *last = strrchr(text, '.') ? strrchr(text, '.') + 1 : text;

    return length > 0 && length <= NAME_MAX_BYTES && strpbrk(last, letters) && text[0] != '-' &&
           text[0] != '.' && !strstr(text, "..") &&
           strspn(text, "-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
               length;
}

/* Reads an address, and appends it with its port. `form`: how it is written; `may_be_name`: the
 * name of a host, too. */
static int parse_address(const struct value_source *source, char *item, int64_t port,
                         const char *form, bool may_be_name, struct str_list *list)
{
    char shown[NAME_MAX_BYTES + sizeof(":65535")], reason[NUMBER_REASON_MAX];
    struct address address;
    const char *port_text = split_port(item);

    if (port_text && (number_parse(port_text, &port, reason) < 0 || port < 1 || port > UINT16_MAX))
        return value_reject(source, "a port is a number from 1 to 65535");
    if (may_be_name && is_host_name(item)) {
        snprintf(shown, sizeof(shown), "%s:%d", item, (int)port);
        return str_list_append(list, shown);
    }
    if (address_parse(item, &address) < 0 || address.scope_id != 0)
        return value_reject(source, form);
    address.port = (uint16_t)port;
    return str_list_append(list, address_format(&address, shown));
}

static int parse_server(const struct value_source *source, char *item, struct str_list *list)
{
    if (list->n_items == SERVERS_MAX)
        return value_reject(source, "at most three name servers are allowed");
    return parse_address(source, item, DNS_PORT,
                         "a name server is written as 192.0.2.1, 192.0.2.1:5353, 2001:db8::1 "
                         "or [2001:db8::1]:5353",
                         false, list);
}

static int parse_store(const struct value_source *source, char *item, struct str_list *list)
{
    const char *path = item + strlen(UNIX_PREFIX);

    if (list->n_items == STORES_MAX)
        return value_reject(source, "at most eight addresses are allowed");
    if (strncmp(item, UNIX_PREFIX, strlen(UNIX_PREFIX)) != 0)
        return parse_address(source, item, STORE_PORT,
                             "a store is written as unix:/run/redis/redis.sock, 192.0.2.1:6379, "
                             "[2001:db8::1]:6379 or store.example:6379",
                             true, list);
    if (path[0] != '/' || strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return value_reject(source, "the path of a Unix socket is absolute, of at most 107 bytes");
    return str_list_append(list, item);
}

static int parse_servers(const struct value_source *source, void *place)
{
    _cleanup_str_ char *text = strdup(source->text);
    struct str_list list = {0};
    int r = text ? 0 : -ENOMEM;

    if (r == 0 && *text) {
        char *rest = text;

        for (char *item; r == 0 && (item = strsep(&rest, ","));)
            r = parse_server(source, str_trim(item, STR_BLANKS), &list);
    }
    if (r < 0) {
        str_list_clear(&list);
        return r;
    }
    str_list_clear(place);
    *(struct str_list *)place = list;
    return 0;
}

static int parse_stores(const struct value_source *source, void *place)
{
    _cleanup_str_ char *text = strdup(source->text);
    struct str_list list = {0};
    char *rest = text;
    int r = text ? 0 : -ENOMEM;

#ifndef HAVE_HIREDIS
    if (r == 0 && *text)
        r = value_reject(source, "this dispatcherd was built without libhiredis (--without-fleet)");
#endif
    for (char *item; r == 0 && (item = strsep(&rest, ", \t"));)
        if (*item)
            r = parse_store(source, item, &list);
    if (r < 0) {
        str_list_clear(&list);
        return r;
    }
    str_list_clear(place);
    *(struct str_list *)place = list;
    return 0;
}

static void print_servers(const char *name, const void *place, FILE *stream)
{
    const struct str_list *list = place;

    fprintf(stream, "%s=", name);
    for (size_t i = 0; i < list->n_items; i++)
        fprintf(stream, "%s%s", i > 0 ? "," : "", list->items[i]);
    fputc('\n', stream);
}

const struct option_type value_servers = {
    .name = "name server or list of name servers",
    .parse = parse_servers,
    .copy = value_list_copy,
    .clear = value_list_clear,
    .print = print_servers,
    .is_set = value_list_is_set,
};

const struct option_type value_stores = {
    .name = "list of addresses",
    .parse = parse_stores,
    .copy = value_list_copy,
    .clear = value_list_clear,
    .print = print_servers,
    .is_set = value_list_is_set,
};
