/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Questions on their way to the name servers: those who ask the same share one question, what is
 * known already comes from a cache, each ends within a limit, and there is a cap.
 *
 * All callbacks come from the event loop, never from a function of this file. */
#pragma once

#include "access/dns_client.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

/* Distinct questions at once, without tests and those that have passed their limit. Each account
 * has an equal share of them, however many questions the others have. */
#define DNS_QUERIES_MAX 4096

/* Answers that are kept. */
#define DNS_CACHE_MAX 16384

/* How long a question may take. */
#define DNS_QUERY_LIMIT_USEC UINT64_C(5000000)

struct dns_queries;
struct dns_query;
struct dns_waiter;

/* `error`: 0 with `fact`, which lives until the callback returns; -ETIMEDOUT; or another negative
 * errno. The waiter waits no longer, and is the callback's to use again or free. */
typedef void (*dns_waiter_callback)(struct dns_waiter *waiter, int error,
                                    const struct dns_fact *fact);

/* One who waits for an answer; a part of something that the caller owns. All zero waits for
 * nothing; the callback is set by the caller. */
struct dns_waiter {
    dns_waiter_callback callback;
    struct dns_query *query; /* NULL: waits for nothing */
    LIST_ENTRY(dns_waiter) link;
};

/* How a question with a topic ended: `error` and `fact` as for a waiter, and after what time. */
struct dns_query_end {
    enum dns_type type;
    int error;
    const struct dns_fact *fact;
    uint64_t took_usec;
};

/* Called once for each question that went out with a topic, before those who wait for it. */
typedef void (*dns_queries_callback)(void *topic, const struct dns_query_end *end);

/* Somebody who asks, beside others who must not be kept from it. All zero before its first
 * question; then it must be closed before it goes. */
struct dns_account {
    size_t n_open; /* of its questions */
    bool is_open;  /* it has a share */
};

/* What makes one question differ from another. */
struct dns_question {
    const char *name; /* a full name of at most DNS_NAME_MAX bytes, in lower case */
    enum dns_type type;
    bool is_test; /* asks the servers whatever the cache knows, and whatever the cap */
    void *topic;  /* for dns_queries_callback; NULL: none */
    struct dns_account *account; /* NULL: that of all who have none */
};

/* `servers` as for dns_client_new(); `on_end` may be NULL. `event` is kept referenced. Returns 0
 * with *ret, or a negative errno. */
int dns_queries_new(sd_event *event, const char *servers, dns_queries_callback on_end,
                    struct dns_queries **ret);

/* Asks these name servers from now on, and asks them again what others have not answered yet. Not
 * from a callback of the client. Returns 0; or a negative errno, and everything is as it was. */
int dns_queries_set_servers(struct dns_queries *queries, const char *servers);

/* The account asks no more: its share goes to the others. */
void dns_queries_close_account(struct dns_queries *queries, struct dns_account *account);

/* Ends every question, without callbacks; no waiter waits any more. NULL does nothing. */
void dns_queries_free(struct dns_queries *queries);

/* For tests: instead of DNS_QUERY_LIMIT_USEC, for questions asked from now on. Lower only before
 * the first question. */
void dns_queries_set_limit(struct dns_queries *queries, uint64_t limit_usec);

/* Returns 1 with *ret_fact from the cache; 0 if the waiter's callback will come; -EBUSY over the
 * account's share; or another negative errno. `waiter` NULL asks for the cache's sake. */
int dns_queries_ask(struct dns_queries *queries, const struct dns_question *question,
                    struct dns_waiter *waiter, struct dns_fact *ret_fact);

/* What the cache knows. Returns true with *ret. */
bool dns_queries_look(struct dns_queries *queries, const char *name, enum dns_type type,
                      struct dns_fact *ret);

/* The callback comes no more. The question goes on: others may want its answer. One that waits for
 * nothing is let be. */
void dns_waiter_leave(struct dns_waiter *waiter);

/* Questions that the servers have been asked and have not answered, those that have passed their
 * limit among them. */
size_t dns_queries_n_open(const struct dns_queries *queries);
