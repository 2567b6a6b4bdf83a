/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The DNS lists that are in use: their figures, and their health. Shown through dns_lists.h. */
#pragma once

#include "access/dns_health.h"
#include "access/dns_queries.h"

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

/* Lists that are known at once: five for each service, and those that the mapping file asks. */
#define DNS_ZONES_MAX 256

struct dns_zone;
struct dns_zones;

/* For statistics. Each asking of a client is counted once, whether the cache knew or the servers
 * were asked: n_queries is the sum of the others, of answers "no", and of those that were not
 * waited for. */
struct dns_zone_figures {
    const char *zone; /* as long as dns_lists */
    uint64_t n_queries;
    uint64_t n_listed;
    uint64_t n_timed_out;
    uint64_t n_failed;
    bool is_set_aside;
    bool lacks_test_entry; /* well, but 127.0.0.2 is not on it: an empty list? */
    const char *reason;    /* if set aside; static */
    uint64_t since_usec;   /* real time of the last change of is_set_aside; 0: never */
};

/* A list was set aside, with the reason; or taken back (`reason` NULL). */
typedef void (*dns_zones_callback)(const char *zone, bool is_well, const char *reason,
                                   void *userdata);

/* The zone's first test is over, or it was set aside: what waits for it goes on. */
typedef void (*dns_zones_change_callback)(const struct dns_zone *zone, void *userdata);

struct dns_zones_hooks {
    dns_zones_callback on_health; /* may be NULL */
    void *on_health_userdata;
    dns_zones_change_callback on_change;
    void *on_change_userdata;
};

/* `queries` outlives the zones, and calls dns_zones_on_query_end() for its topics, which are
 * zones. Returns 0 with *ret, or a negative errno. */
int dns_zones_new(sd_event *event, struct dns_queries *queries, const struct dns_zones_hooks *hooks,
                  struct dns_zones **ret);

/* NULL does nothing. */
void dns_zones_free(struct dns_zones *zones);

/* For tests, instead of DNS_HEALTH_WELL_USEC and DNS_HEALTH_ILL_USEC. */
void dns_zones_set_intervals(struct dns_zones *zones, uint64_t usec_well, uint64_t usec_ill);

/* The name servers are others now: every list that is set aside is tested at once, and failures of
 * the others are forgotten. */
void dns_zones_start_afresh(struct dns_zones *zones);

/* The zone of a name, which is tested if that is due. Returns 0 with *ret, which lives as long
 * as `zones`; -EINVAL for what is no zone; -ENOSPC above DNS_ZONES_MAX; or -ENOMEM. */
int dns_zones_use(struct dns_zones *zones, const char *name, struct dns_zone **ret);

const char *dns_zone_name(const struct dns_zone *zone);
enum dns_health_state dns_zone_state(const struct dns_zone *zone);

/* For counting. */
struct dns_zone_figures *dns_zone_figures(struct dns_zone *zone);

/* A check begins to wait for the list's answer, and ends to: too many for too long set the list
 * aside, from the event loop. */
void dns_zone_wait_begins(struct dns_zone *zone);
void dns_zone_wait_ends(struct dns_zone *zone);

/* Of dns_queries_callback. */
void dns_zones_on_query_end(void *topic, const struct dns_query_end *end);

/* The zone after `previous`, the first after NULL; NULL after the last. */
struct dns_zone *dns_zones_next(const struct dns_zones *zones, const struct dns_zone *previous);
