/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "config/option_table.h"

#include "base/nearest.h"
#include "config/value.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Abbreviations for documents and scopes. */
#define SUN     "Sun Java System Messaging Server 6 2005Q4 Administration Reference, Dispatcher"
#define OURS    "dispatcher.cnf(5)"
#define WIKI    "Messaging Server Technical Reference Wiki, Dispatcher"
#define ALL     (SCOPE_GLOBAL | SCOPE_SERVICE)
#define ALL_OWN (ALL | SCOPE_DISPATCHER)

/* One row: identifier, document, scope, kind and member; then all that is not zero. */
#define OPTION(id, document_, scope, type_, member, help_, ...)                                    \
    [OPTION_##id] = {                                                                              \
        .name = #id,                                                                               \
        .scopes = (scope),                                                                         \
        .type = &value_##type_,                                                                    \
        .offset = offsetof(struct service_options, member),                                        \
        .help = (help_),                                                                           \
        .document = (document_),                                                                   \
        __VA_ARGS__,                                                                               \
    }
#define RANGE(min_, max_, default_) .min = (min_), .max = (max_), .default_value = (default_)
#define FLAGS(...)                  .flags = (__VA_ARGS__)
#define DEFAULT(text)               .default_text = (text)
#define ALIAS(name_)                .aliases = {name_}

/* One option a paragraph is the most readable. */
/* clang-format off */
const struct option option_table[N_OPTIONS] = {
    OPTION(BACKLOG, SUN, ALL, count, backlog, "connections that may wait in the kernel's queue",
           RANGE(5, INT_MAX, 0), DEFAULT("MAX_CONNS x MAX_PROCS, at least 5")),
    OPTION(DEBUG, SUN, ALL_OWN, mask, debug, "what is logged for debugging",
           RANGE(INT32_MIN, UINT32_MAX, 0)),
    OPTION(DNS_SERVERS, OURS, SCOPE_DISPATCHER, servers, dns_servers,
           "name servers for queries of DNS lists", DEFAULT("those of resolv.conf")),
    OPTION(DNS_VERIFY_DOMAIN, SUN, ALL, zones, dns_verify_domains,
           "DNS list; clients that it lists are rejected; up to 5", FLAGS(OPTION_IS_LIST)),
    OPTION(ENABLE, WIKI, SCOPE_SERVICE, flag, enable, "0 disables the service, as PORT=0 does",
           RANGE(0, 1, 1)),
    OPTION(FLEET, OURS, SCOPE_DISPATCHER, stores, fleet,
           "where hosts with common limits keep their counts", DEFAULT("limits for this host alone")),
    OPTION(FLEET_ADDRESSES, OURS, SCOPE_DISPATCHER, flag, fleet_addresses,
           "1: MAX_CONNS_PER_ADDRESS holds over them all", RANGE(0, 1, 0)),
    OPTION(FLEET_NAME, OURS, SCOPE_DISPATCHER, name, fleet_name, "this host's name there",
           DEFAULT("derived from the machine's identifier")),
    OPTION(FLEET_WAIT, OURS, SCOPE_DISPATCHER, count, fleet_wait_msec,
           "milliseconds that a connection may wait for the counts there", RANGE(0, 1000, 0)),
    OPTION(HISTORICAL_TIME, SUN, ALL_OWN, count, historical_time_sec,
           "seconds for which ended connections and workers stay in the statistics", RANGE(0, INT_MAX, 0)),
    OPTION(IDENT, SUN, ALL, flag, ident, "1: ask each client's IDENT server for the user (RFC 1413)",
           RANGE(0, 1, 0)),
    OPTION(IMAGE, SUN, ALL, image, image, "the program that workers run", FLAGS(OPTION_ONE_EACH)),
    OPTION(INTERFACE_ADDRESS, SUN, ALL, address, interface_address, "the one address to listen on",
           DEFAULT("all addresses")),
    OPTION(LOGFILE, SUN, ALL_OWN, logfile, logfile, "where the output of workers goes",
           DEFAULT("the journal"), ALIAS("LOGFILENAME")),
    OPTION(MAX_CONNS, SUN, ALL, count, max_conns, "maximum connections at once in one worker",
           RANGE(1, 50, 10), FLAGS(OPTION_LOWERED)),
    OPTION(MAX_CONNS_PER_ADDRESS, OURS, ALL, count, max_conns_per_address,
           "maximum connections at once from one address, or one IPv6 /64; 0: unlimited",
           RANGE(0, INT_MAX, 0)),
    OPTION(MAX_CONNS_PER_NETWORK, OURS, ALL, count, max_conns_per_network,
           "maximum connections at once from one IPv4 /24, or one IPv6 /48; 0: unlimited",
           RANGE(0, INT_MAX, 0)),
    OPTION(MAX_HANDOFFS, SUN, ALL, count, max_handoffs,
           "maximum hand-offs at once that workers have not acknowledged", RANGE(1, INT_MAX, 5)),
    OPTION(MAX_IDLE_TIME, SUN, ALL, count, max_idle_time_sec,
           "seconds without a connection after which a worker may be retired; 0: never",
           RANGE(0, INT_MAX, 600)),
    OPTION(MAX_LIFE_CONNS, SUN, ALL, count, max_life_conns,
           "connections after which a worker is retired; 0: unlimited", RANGE(0, INT_MAX, 300)),
    OPTION(MAX_LIFE_TIME, SUN, ALL, count, max_life_time_sec,
           "seconds after which a worker is retired; 0: unlimited", RANGE(0, INT_MAX, 86400)),
    /* The worker's socket unit has MaxConnections=1024. */
    OPTION(MAX_PROCS, SUN, ALL, count, max_procs, "maximum workers of the service", RANGE(1, 1024, 5)),
    OPTION(MAX_SHUTDOWN, SUN, ALL, count, max_shutdown, "maximum workers that drain at once",
           RANGE(1, INT_MAX, 2), FLAGS(OPTION_RAISED)),
    OPTION(MIN_CONNS, SUN, ALL, count, min_conns,
           "connections that each worker serves before another worker is started", RANGE(1, INT_MAX, 3)),
    OPTION(MIN_PROCS, SUN, ALL, count, min_procs, "workers that are started first and kept available",
           RANGE(0, INT_MAX, 1)),
    OPTION(PARAMETER, SUN, ALL, parameters, parameters, "text for the worker; may be repeated",
           FLAGS(OPTION_IS_LIST)),
    OPTION(PORT, SUN, SCOPE_SERVICE, ports, port, "TCP ports to listen on; 0 keeps the service off",
           RANGE(0, UINT16_MAX, 0), ALIAS("TCP_PORTS")),
    OPTION(PROXY_PROTOCOL, OURS, ALL, flag, proxy_protocol,
           "1: each connection begins with a header of the PROXY protocol", RANGE(0, 1, 0)),
    OPTION(PROXY_UPSTREAMS, OURS, ALL, networks, proxy_upstreams,
           "networks of the proxies that PROXY_PROTOCOL trusts", DEFAULT("none")),
    OPTION(RECORD, OURS, SCOPE_DISPATCHER, recording, record,
           "file that arrivals and session lengths are recorded in", DEFAULT("none")),
    OPTION(STACKSIZE, SUN, ALL, count, stacksize_bytes,
           "bytes of stack of a worker's thread; 0: the system's default",
           RANGE(65536, INT_MAX, 0), FLAGS(OPTION_OR_ZERO)),
    OPTION(TLS_PORT, WIKI, SCOPE_SERVICE, ports, tls_port, "TCP ports where TLS starts at once",
           RANGE(0, UINT16_MAX, 0), ALIAS("SSL_PORTS")),
};

#define QUOTA "a quota of OpenVMS; LimitNOFILE=, MemoryMax= and TasksMax= of the worker's unit limit " \
              "resources here"
#define UNIT  "systemctl edit dispatcherd-NAME-worker@.service sets it for the worker's unit"

const struct ignored_option ignored_option_table[] = {
    {"ASTLM", QUOTA, false},
    {"BIOLM", QUOTA, false},
    {"BYTLM", QUOTA, false},
    {"CPULM", QUOTA, false},
    {"DEBUG_FLUSH", "log output is always written immediately", false},
    {"DIOLM", QUOTA, false},
    {"ENABLE_RBL", "its list no longer exists; use DNS_VERIFY_DOMAIN instead", true},
    {"ENQLM", QUOTA, false},
    {"FILLM", QUOTA, false},
    {"GROUP", "Group=: " UNIT, false},
    {"JTQUOTA", QUOTA, false},
    {"PGFLQUOTA", QUOTA, false},
    {"PRCLM", QUOTA, false},
    {"PRIORITY", "Nice= and CPUWeight=: " UNIT, false},
    {"TQELM", QUOTA, false},
    {"UCX_HOLD", "specific to one TCP/IP package of OpenVMS", false},
    {"UNIQUE_LOGFILES", "each worker's log file has a name of its own", false},
    {"USER", "User=: " UNIT, false},
    {"USE_NSLOG", "messages go to the journal here", true},
    {"WSDEFAULT", QUOTA, false},
    {"WSEXTENT", QUOTA, false},
    {"WSQUOTA", QUOTA, false},
};
/* clang-format on */

const size_t n_ignored_options = ELEMENTSOF(ignored_option_table);

static bool is_called(const struct option *option, const char *name)
{
    for (size_t i = 0; i < ELEMENTSOF(option->aliases) && option->aliases[i]; i++)
        if (str_equal_nocase(option->aliases[i], name))
            return true;
    return str_equal_nocase(option->name, name);
}

const struct option *option_find(const char *name)
{
    for (size_t i = 0; i < N_OPTIONS; i++)
        if (is_called(&option_table[i], name))
            return &option_table[i];
    return NULL;
}

const struct ignored_option *ignored_option_find(const char *name)
{
    for (size_t i = 0; i < n_ignored_options; i++)
        if (str_equal_nocase(ignored_option_table[i].name, name))
            return &ignored_option_table[i];
    return NULL;
}

const char *option_nearest_name(const char *name)
{
    struct nearest nearest = nearest_init(name);

    for (size_t i = 0; i < N_OPTIONS; i++) {
        nearest_offer(&nearest, option_table[i].name);
        for (size_t k = 0; k < ELEMENTSOF(option_table[i].aliases); k++)
            if (option_table[i].aliases[k])
                nearest_offer(&nearest, option_table[i].aliases[k]);
    }
    for (size_t i = 0; i < n_ignored_options; i++)
        nearest_offer(&nearest, ignored_option_table[i].name);
    return nearest.best;
}

enum option_id option_id(const struct option *option)
{
    return (enum option_id)(option - option_table);
}

void *option_place(const struct option *option, struct service_options *service)
{
    return (char *)service + option->offset;
}

const void *option_place_const(const struct option *option, const struct service_options *service)
{
    return (const char *)service + option->offset;
}

static void clear_place(const struct option_type *type, void *place)
{
    if (type->size > 0)
        memset(place, 0, type->size);
    else
        type->clear(place);
}

int option_copy(const struct option *option, const struct service_options *from,
                struct service_options *to)
{
    const void *value = option_place_const(option, from);
    void *place = option_place(option, to);

    clear_place(option->type, place);
    if (option->type->size == 0)
        return option->type->copy(value, place);
    memcpy(place, value, option->type->size);
    return 0;
}

void option_set_default(const struct option *option, struct service_options *service)
{
    void *place = option_place(option, service);

    clear_place(option->type, place);
    if (option->type == &value_count)
        *(unsigned *)place = (unsigned)option->default_value;
    else if (option->type == &value_flag)
        *(bool *)place = option->default_value != 0;
}

void service_options_clear(struct service_options *service)
{
    for (size_t i = 0; i < N_OPTIONS; i++)
        clear_place(option_table[i].type, option_place(&option_table[i], service));
    free(service->name);
    free(service->unit_name);
    free(service->parameter_origins);
    *service = (struct service_options){0};
}

const char *option_default_text(const struct option *option, char text[OPTION_DEFAULT_TEXT_MAX])
{
    struct str_buffer buffer = str_buffer_init(text, OPTION_DEFAULT_TEXT_MAX);
    bool is_integer =
        option->type == &value_count || option->type == &value_flag || option->type == &value_mask;

    if (option->default_text)
        str_buffer_add(&buffer, "%s", option->default_text);
    else if (is_integer)
        str_buffer_add(&buffer, "%" PRId64, option->default_value);
    else
        str_buffer_add(&buffer, "none");
    return text;
}
