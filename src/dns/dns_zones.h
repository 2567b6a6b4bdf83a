/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The DNS lists in use: their figures, and their health. Shown by dns_lists.h. */
#pragma once

#include "dns/dns_health.h"
#include "dns/dns_queries.h"

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

/* The most lists at once: five for each service, and those of the mapping file. */
#define DNS_ZONES_MAX 256

struct dns_zone;
struct dns_zones;

/* For statistics. Each lookup of a client is counted once, whether the answer came from the cache
 * or from a server: n_queries is the sum of the others, of negative answers, and of lookups that
 * were abandoned. */
struct dns_zone_figures {
    const char *zone; /* valid as long as dns_lists */
    uint64_t n_queries;
    uint64_t n_listed;
    uint64_t n_timed_out;
    uint64_t n_failed;
    bool is_set_aside;
    bool lacks_test_entry; /* in use, but 127.0.0.2 is not on it: it may be empty */
    const char *reason;    /* if it is set aside; a literal */
    uint64_t since_usec;   /* real time of the last change of is_set_aside; 0: there was none */
};

/* A list was set aside for the reason, or is used again (`reason` NULL). */
typedef void (*dns_zones_callback)(const char *zone, bool is_well, const char *reason,
                                   void *userdata);

/* The zone's first test is over, or it was set aside: whoever waits for that goes on. */
typedef void (*dns_zones_change_callback)(const struct dns_zone *zone, void *userdata);

struct dns_zones_hooks {
    dns_zones_callback on_health; /* may be NULL */
    void *on_health_userdata;
    dns_zones_change_callback on_change;
    void *on_change_userdata;
};

/* `queries` outlives the zones, and calls dns_zones_on_query_end() for its topics, which are zones.
 * Returns 0 with *ret, or a negative errno. */
int dns_zones_new(sd_event *event, struct dns_queries *queries, const struct dns_zones_hooks *hooks,
                  struct dns_zones **ret);

/* NULL does nothing. */
void dns_zones_free(struct dns_zones *zones);

/* For tests: replaces DNS_HEALTH_WELL_USEC and DNS_HEALTH_ILL_USEC. */
void dns_zones_set_intervals(struct dns_zones *zones, uint64_t usec_well, uint64_t usec_ill);

/* The name servers have changed: lists that are set aside are tested at once, and earlier failures
 * of the others do not count. */
void dns_zones_start_afresh(struct dns_zones *zones);

/* The zone of that name, which is tested if that is due. Returns 0 with *ret, which is valid as
 * long as `zones`; -EINVAL if the name is no zone; -ENOSPC above DNS_ZONES_MAX; or -ENOMEM. */
int dns_zones_use(struct dns_zones *zones, const char *name, struct dns_zone **ret);

const char *dns_zone_name(const struct dns_zone *zone);
enum dns_health_state dns_zone_state(const struct dns_zone *zone);

/* For counting. */
struct dns_zone_figures *dns_zone_figures(struct dns_zone *zone);

/* A check begins or ends to wait for the list's answer. If too many wait for too long, the list is
 * set aside, from the event loop. */
void dns_zone_wait_begins(struct dns_zone *zone);
void dns_zone_wait_ends(struct dns_zone *zone);

/* A dns_queries_callback. */
void dns_zones_on_query_end(void *topic, const struct dns_query_end *end);

/* The zone after `previous`, or the first one after NULL; NULL after the last one. */
struct dns_zone *dns_zones_next(const struct dns_zones *zones, const struct dns_zone *previous);
