/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Asks DNS lists about a client (dispatcher.cnf(5), DNS_VERIFY_DOMAIN): all of them at the same
 * time, the first "yes" decides, and whatever goes wrong accepts.
 *
 * A list whose test entries are not as they should be is set aside, and not asked until they are
 * (dns_health.h). A "yes" of a list that is in its first test waits for that test.
 *
 * All callbacks come from the event loop, never from a function of this file. They may ask and
 * cancel; they must not free the lists. */
#pragma once

#include "access/dns_zones.h"
#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

/* Lists in one request. */
#define DNS_LISTS_ZONES_MAX 16

struct dns_lists;
struct dns_request;

/* Everything but DNS_LISTS_LISTED accepts. Of several lists that have not said yes the least
 * value here is the outcome. */
enum dns_lists_outcome {
    DNS_LISTS_LISTED,
    DNS_LISTS_TIMED_OUT, /* no answer within 5 s */
    DNS_LISTS_FAILED,    /* the name server failed, or refused; or the zone is no zone */
    DNS_LISTS_OVER_CAP,  /* too many questions of the account are open (DNS_QUERIES_MAX) */
    DNS_LISTS_CLEAN,
    DNS_LISTS_SET_ASIDE, /* none of the lists is fit to be asked */
    DNS_LISTS_NOT_ASKED, /* no list, or a client about whom none can know anything */
};

struct dns_lists_answer {
    bool is_listed;
    const char *zone; /* that decided, in lower case; as long as the lists. NULL: NOT_ASKED, or no
                         zone at all */
    struct in_addr address; /* with which it lists the client, if it does */
    const char *text; /* what the list says (TXT), clean, or NULL; only if it was wanted. Until
                         the callback returns, or until the next dns_lists_ask() */
    enum dns_lists_outcome outcome;
};

/* The end of a request, which is freed when the callback returns. */
typedef void (*dns_lists_callback)(struct dns_request *request,
                                   const struct dns_lists_answer *answer, void *userdata);

struct dns_lists_question {
    const struct address *client;
    const char *const *zones;
    size_t n_zones;
    bool wants_text; /* of a list that has the client: ask for TXT too, and wait for it */
    struct dns_account *account; /* whose questions these are; NULL: nobody's */
};

struct dns_lists_callbacks {
    /* A list was set aside, with the reason in static words; or taken back (`reason` NULL).
     * NULL: nobody wants to know. */
    dns_zones_callback on_health;
    void *userdata;
};

/* `servers`: name servers with commas between them ("127.0.0.1:5353"). `callbacks` is copied.
 * `event` is kept referenced. Returns 0 with *ret, which the caller frees; -EINVAL for servers that
 * cannot be read; or another negative errno. */
int dns_lists_new(sd_event *event, const char *servers, const struct dns_lists_callbacks *callbacks,
                  struct dns_lists **ret);

/* Asks these name servers from now on, as for dns_lists_new(): open questions again, and lists that
 * are set aside are tested soon. Returns 0; or a negative errno, and everything is as it was. */
int dns_lists_set_servers(struct dns_lists *lists, const char *servers);

/* Ends every request without its callback; their pointers are void. NULL does nothing. */
void dns_lists_free(struct dns_lists *lists);

/* For tests: the limit of a question, and the times between two tests of a list. */
void dns_lists_set_times(struct dns_lists *lists, uint64_t limit_usec, uint64_t usec_well,
                         uint64_t usec_ill);

/* Asks about a client. Returns 1 with *ret_answer if that is known at once; 0 with *ret if
 * the callback will come, within DNS_QUERY_LIMIT_USEC, or twice that for a text; -E2BIG for more
 * than DNS_LISTS_ZONES_MAX zones; or another negative errno: the caller accepts. */
int dns_lists_ask(struct dns_lists *lists, const struct dns_lists_question *question,
                  dns_lists_callback callback, void *userdata, struct dns_request **ret,
                  struct dns_lists_answer *ret_answer);

/* As dns_queries_close_account(). */
void dns_lists_close_account(struct dns_lists *lists, struct dns_account *account);

/* What is known of the client already: nobody is asked, no list is tested and nothing is counted.
 * Returns true with *ret, whose zone is NULL; or false if the list would be asked. */
bool dns_lists_look(struct dns_lists *lists, const struct address *client, const char *zone,
                    struct dns_lists_answer *ret);

/* The callback comes no more, and the request is freed. NULL does nothing. */
void dns_request_cancel(struct dns_request *request);

/* Writes the figures of the list after `previous`, of the first after NULL. Returns the position to
 * go on from, or NULL after the last. */
const struct dns_zone *dns_lists_next_zone(const struct dns_lists *lists,
                                           const struct dns_zone *previous,
                                           struct dns_zone_figures *ret);

/* Requests that wait, and questions that are open. */
size_t dns_lists_n_requests(const struct dns_lists *lists);
size_t dns_lists_n_queries(const struct dns_lists *lists);
