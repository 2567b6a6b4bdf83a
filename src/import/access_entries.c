/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "import/access_entries.h"

#include "files/networks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct rule {
    struct ip_network network;
    bool is_denied;
};

/* A network of all addresses of its family has no form as a pattern. */
static bool is_everybody(const struct rule *rule)
{
    return rule->network.prefix_bits == 0;
}

static int compare(const void *a, const void *b)
{
    const struct rule *one = a, *two = b;
    int bits_one = (int)one->network.prefix_bits, bits_two = (int)two->network.prefix_bits;

    /* Networks of different families never contain the same client: their order does not matter. */
    if (bits_one != bits_two)
        return bits_two - bits_one;
    return (int)two->is_denied - (int)one->is_denied;
}

static void write_network(FILE *stream, const struct ip_network *network)
{
    char text[NETWORK_TEXT_MAX];

    fprintf(stream, network->address.family == AF_INET ? "  $(%s)" : "  ${%s}",
            ip_network_format(network, text));
}

static size_t parse(const struct str_list *list, bool is_denied, struct rule rules[], size_t n)
{
    char reason[NETWORK_REASON_MAX];

    for (size_t i = 0; i < list->n_items; i++)
        if (ip_network_parse(list->items[i], &rules[n].network, reason) == 0)
            rules[n++].is_denied = is_denied;
    return n;
}

/* The table succeeds for clients that are denied. */
static void write_table(FILE *stream, struct rule rules[], size_t n, bool is_closed)
{
    qsort(rules, n, sizeof(rules[0]), compare);
    for (size_t i = 0; i < n; i++) {
        if (is_everybody(&rules[i])) {
            is_closed = rules[i].is_denied;
            break;
        }
        write_network(stream, &rules[i].network);
        fputs(rules[i].is_denied ? "  $Y\n" : "  $N\n", stream);
    }
    fputs(is_closed ? "  *  $Y\n" : "  *  $N\n", stream);
}

/* Whether it listens on one address. The server's address of a connection is never 0.0.0.0. */
static bool has_one_address(const struct foreign_service *service)
{
    struct address address;

    return address_parse(service->address, &address) == 0 && !address_is_wildcard(&address);
}

/* In the pattern, the client's address is the wildcard after the server's. */
static void write_entry(struct importing *importing, const struct foreign_service *service,
                        const char *condition)
{
    const char *address = has_one_address(service) ? service->address : "*";

    if (importing->n_entries++ == 0)
        fputs("PORT_ACCESS\n\n", importing->mappings);
    fprintf(importing->mappings, "  TCP|%s|%u|*|*  $C%s$N$E\n", address, service->port, condition);
}

static void write_access(struct importing *importing, const struct foreign_service *service,
                         const char *name, struct rule rules[], size_t n)
{
    char condition[128];

    snprintf(condition, sizeof(condition), "$|DENIED-%s;$%d|", name,
             has_one_address(service) ? 0 : 1);
    write_entry(importing, service, condition);
    fprintf(importing->tables, "\nDENIED-%s\n\n", name);
    write_table(importing->tables, rules, n, service->has_allowed);
}

static bool has_table(const struct foreign_service *service)
{
    return service->allowed.n_items > 0 || service->denied.n_items > 0 || service->has_allowed;
}

bool access_entries_are_needed(const struct foreign_service *service)
{
    return service->per_minute > 0 || has_table(service);
}

void access_entries_write(struct importing *importing, const struct foreign_service *service,
                          const char *name)
{
    size_t n_max = service->allowed.n_items + service->denied.n_items;
    char condition[128];

    if (service->per_minute > 0) {
        snprintf(condition, sizeof(condition), "$[conn_throttle,throttle,$%d,%u]",
                 has_one_address(service) ? 0 : 1, service->per_minute);
        write_entry(importing, service, condition);
    }
    if (!has_table(service))
        return;
    struct rule *rules = calloc(n_max + 1, sizeof(*rules));
    if (!rules) {
        importing->is_error = true;
        return;
    }
    size_t n = parse(&service->denied, true, rules, 0);
    n = parse(&service->allowed, false, rules, n);
    write_access(importing, service, name, rules, n);
    free(rules);
}
