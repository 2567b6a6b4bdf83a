/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The effective options of dispatcher.cnf as plain data, for the rest of the program.
 *
 * Names, ranges, defaults and parsers are in option_table.c; this header has the result. */
#pragma once

#include "base/str.h"
#include "config/interface_address.h"
#include "files/networks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every option that has an effect. */
enum option_id {
    OPTION_BACKLOG,
    OPTION_DEBUG,
    OPTION_DNS_SERVERS,
    OPTION_DNS_VERIFY_DOMAIN,
    OPTION_ENABLE,
    OPTION_FLEET,
    OPTION_FLEET_ADDRESSES,
    OPTION_FLEET_NAME,
    OPTION_FLEET_WAIT,
    OPTION_HISTORICAL_TIME,
    OPTION_IDENT,
    OPTION_IMAGE,
    OPTION_INTERFACE_ADDRESS,
    OPTION_LOGFILE,
    OPTION_MAX_CONNS,
    OPTION_MAX_CONNS_PER_ADDRESS,
    OPTION_MAX_CONNS_PER_NETWORK,
    OPTION_MAX_HANDOFFS,
    OPTION_MAX_IDLE_TIME,
    OPTION_MAX_LIFE_CONNS,
    OPTION_MAX_LIFE_TIME,
    OPTION_MAX_PROCS,
    OPTION_MAX_SHUTDOWN,
    OPTION_MIN_CONNS,
    OPTION_MIN_PROCS,
    OPTION_PARAMETER,
    OPTION_PORT,
    OPTION_PROXY_PROTOCOL,
    OPTION_PROXY_UPSTREAMS,
    OPTION_RECORD,
    OPTION_STACKSIZE,
    OPTION_TLS_PORT,
    N_OPTIONS
};

/* Where a value was written. `file` is NULL for a built-in default and "environment" for
 * IMTA_DISPATCHER_DEBUG; it belongs to the configuration that has the options. */
struct origin {
    const char *file;
    unsigned line;
};

struct port_list {
    uint16_t *ports; /* owned; never holds 0 */
    size_t n_ports;
};

bool port_list_has(const struct port_list *list, int64_t port);

/* One service. All that it points to belongs to its configuration. */
struct service_options {
    char *name;           /* as written */
    char *unit_name;      /* in lower case, as in the names of its units */
    struct origin origin; /* its section line */
    bool is_enabled;      /* false for PORT=0 and ENABLE=0: read and checked, but never run */
    bool enable;          /* ENABLE alone, for --print-config */

    struct port_list port;
    struct port_list tls_port;
    bool has_interface_address;
    struct interface_address interface_address;
    unsigned backlog; /* connections */

    char *image;   /* absolute path */
    char *logfile; /* absolute path, with %s and %% not yet replaced; NULL: the journal */
    struct str_list parameters;
    struct origin *parameter_origins; /* one for each parameter; owned */
    unsigned stacksize_bytes;         /* of a worker's thread; 0: the system's default */

    unsigned min_procs;
    unsigned max_procs;
    unsigned min_conns;
    unsigned max_conns;
    unsigned max_handoffs;
    unsigned max_shutdown;
    unsigned max_life_time_sec; /* 0: unlimited */
    unsigned max_life_conns;    /* 0: unlimited */
    unsigned max_idle_time_sec; /* 0: never */

    uint32_t debug; /* dispatcherd-journal(7) */
    unsigned historical_time_sec;
    bool ident;
    struct str_list dns_servers; /* of the Dispatcher alone, as the next five */
    struct str_list fleet;       /* stores */
    char *fleet_name;            /* NULL: derived from the machine's identifier */
    unsigned fleet_wait_msec;    /* 0: decides at once */
    bool fleet_addresses;        /* MAX_CONNS_PER_ADDRESS holds over the fleet */
    char *record;                /* absolute path; NULL: none */
    struct str_list dns_verify_domains;
    unsigned max_conns_per_address;      /* 0: unlimited */
    unsigned max_conns_per_network;      /* likewise */
    bool proxy_protocol;                 /* connections begin with a header that names the client */
    struct network_list proxy_upstreams; /* who may send one; never empty with proxy_protocol */

    struct origin origins[N_OPTIONS];
};

/* A whole dispatcher.cnf. Owns all it points to. */
struct config {
    struct service_options *services; /* in the order of the file */
    size_t n_services;

    /* Of the Dispatcher itself: from [SERVICE=DISPATCHER], else from the global part
     * (dispatcher.cnf(5)). */
    uint32_t debug;
    unsigned historical_time_sec;
    char *logfile; /* like that of a service; NULL: none */
    char *record;  /* absolute path of a recording; NULL: none */
    struct str_list
        dns_servers; /* "192.0.2.1:53", "[2001:db8::1]:53"; empty: the servers of the host */
    struct str_list
        fleet;        /* stores: "unix:/path", "192.0.2.1:6379"; empty: limits are this host's */
    char *fleet_name; /* NULL: derived from the machine's identifier */
    unsigned fleet_wait_msec;
    bool fleet_addresses;
    struct origin debug_origin;
    struct origin dns_servers_origin;
    struct origin fleet_origin;
    struct origin fleet_addresses_origin;
    struct origin fleet_name_origin;
    struct origin fleet_wait_origin;
    struct origin historical_time_origin;
    struct origin logfile_origin;
    struct origin record_origin;

    struct str_list files; /* every file that was read, dispatcher.cnf first */
};

/* Finds a service by name, without regard to case. Returns NULL if there is none. */
const struct service_options *config_find_service(const struct config *config, const char *name);

/* Frees all it owns; the configuration is empty afterwards. */
void config_clear(struct config *config);
