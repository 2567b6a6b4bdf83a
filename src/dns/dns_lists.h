/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Asks DNS lists about a client (dispatcher.cnf(5), DNS_VERIFY_DOMAIN): all lists at the same time;
 * the first that contains the client decides, and errors admit it.
 *
 * A list whose test entries are wrong is set aside, and not asked until they are correct
 * (dns_health.h). If a list that is in its first test contains the client, that waits for the end
 * of the test.
 *
 * All callbacks come from the event loop, never from a function of this file. They may start and
 * cancel requests; they must not free the lists. */
#pragma once

#include "base/address.h"
#include "dns/dns_zones.h"

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

/* The most lists of one request. */
#define DNS_LISTS_ZONES_MAX 16

struct dns_lists;
struct dns_request;

/* Everything except DNS_LISTS_LISTED admits the client. If no list contains it, the least value
 * here is the outcome. */
enum dns_lists_outcome {
    DNS_LISTS_LISTED,
    DNS_LISTS_TIMED_OUT, /* no answer within 5 s */
    DNS_LISTS_FAILED,    /* the name server failed or refused, or the zone is invalid */
    DNS_LISTS_OVER_CAP,  /* the account has too many open queries (DNS_QUERIES_MAX) */
    DNS_LISTS_CLEAN,
    DNS_LISTS_SET_ASIDE, /* all lists are set aside */
    DNS_LISTS_NOT_ASKED, /* no list, or a client about which lists know nothing */
};

struct dns_lists_answer {
    bool is_listed;
    const char *zone; /* that decided, in lower case; as long as the lists. NULL: NOT_ASKED, or no
                         zone at all */
    struct in_addr address; /* the address that the list has for the client, if it contains it */
    const char *text; /* what the list says (TXT), clean, or NULL; only if it was wanted. Until
                         the callback returns, or until the next dns_lists_ask() */
    enum dns_lists_outcome outcome;
};

/* Called when a request ends, which is freed when the callback returns. */
typedef void (*dns_lists_callback)(struct dns_request *request,
                                   const struct dns_lists_answer *answer, void *userdata);

struct dns_lists_question {
    const struct address *client;
    const char *const *zones;
    size_t n_zones;
    bool wants_text;             /* if a list contains the client: query TXT too, and wait for it */
    struct dns_account *account; /* to which the queries belong; NULL: to none */
};

struct dns_lists_callbacks {
    /* A list was set aside for the reason (a literal), or is used again (`reason` NULL). May be
     * NULL. */
    dns_zones_callback on_health;
    void *userdata;
};

/* `servers`: name servers with commas between them ("127.0.0.1:5353"). `callbacks` is copied.
 * `event` is kept referenced. Returns 0 with *ret, which the caller frees; -EINVAL if `servers` is
 * invalid; or another negative errno. */
int dns_lists_new(sd_event *event, const char *servers, const struct dns_lists_callbacks *callbacks,
                  struct dns_lists **ret);

/* Uses these name servers from now on, as for dns_lists_new(): open queries are repeated, and lists
 * that are set aside are tested soon. Returns 0; or a negative errno, with everything as it was. */
int dns_lists_set_servers(struct dns_lists *lists, const char *servers);

/* Ends every request without its callback; no request is valid any more. NULL does nothing. */
void dns_lists_free(struct dns_lists *lists);

/* For tests: the limit of a query, and the times between two tests of a list. */
void dns_lists_set_times(struct dns_lists *lists, uint64_t limit_usec, uint64_t usec_well,
                         uint64_t usec_ill);

/* Asks about a client. Returns 1 with *ret_answer if that is known at once; 0 with *ret if the
 * callback will be called, within DNS_QUERY_LIMIT_USEC, or twice that for a text; -E2BIG for more
 * than DNS_LISTS_ZONES_MAX zones; or another negative errno, for which the caller admits the
 * client. */
int dns_lists_ask(struct dns_lists *lists, const struct dns_lists_question *question,
                  dns_lists_callback callback, void *userdata, struct dns_request **ret,
                  struct dns_lists_answer *ret_answer);

/* Like dns_queries_close_account(). */
void dns_lists_close_account(struct dns_lists *lists, struct dns_account *account);

/* What is known about the client already: no server is asked, no list is tested, and nothing is
 * counted. Returns true with *ret, whose zone is NULL; or false if the list would have to be asked.
 */
bool dns_lists_look(struct dns_lists *lists, const struct address *client, const char *zone,
                    struct dns_lists_answer *ret);

/* Frees the request without its callback. NULL does nothing. */
void dns_request_cancel(struct dns_request *request);

/* Writes the figures of the list after `previous`, or of the first one after NULL. Returns the
 * position for the next call, or NULL after the last list. */
const struct dns_zone *dns_lists_next_zone(const struct dns_lists *lists,
                                           const struct dns_zone *previous,
                                           struct dns_zone_figures *ret);

/* How many requests wait, and how many queries are open. */
size_t dns_lists_n_requests(const struct dns_lists *lists);
size_t dns_lists_n_queries(const struct dns_lists *lists);
