/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Queries that are under way to name servers. Waiters for the same answer share one query, answers
 * are cached, each query has a time limit, and their number is limited.
 *
 * All callbacks come from the event loop, never from a function of this file. */
#pragma once

#include "dns/dns_client.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

/* The most queries at once, without tests and without those that are past their limit. Each account
 * has an equal share of them, however many the others use. */
#define DNS_QUERIES_MAX 4096

/* The most answers that are kept. */
#define DNS_CACHE_MAX 16384

/* How long a question may take. */
#define DNS_QUERY_LIMIT_USEC UINT64_C(5000000)

struct dns_queries;
struct dns_query;
struct dns_waiter;

/* `error`: 0 with `fact`, which is valid until the callback returns; -ETIMEDOUT; or another
 * negative errno. The waiter waits no longer; the callback may use it again, or free it. */
typedef void (*dns_waiter_callback)(struct dns_waiter *waiter, int error,
                                    const struct dns_fact *fact);

/* Waits for an answer; a part of something that the caller owns. All zero waits for nothing; the
 * caller sets the callback. */
struct dns_waiter {
    dns_waiter_callback callback;
    struct dns_query *query; /* NULL: waits for nothing */
    LIST_ENTRY(dns_waiter) link;
};

/* How a query with a topic ended: `error` and `fact` as for a waiter, and how long it took. */
struct dns_query_end {
    enum dns_type type;
    int error;
    const struct dns_fact *fact;
    uint64_t took_usec;
};

/* Called once for each query that was sent with a topic, before those that wait for it. */
typedef void (*dns_queries_callback)(void *topic, const struct dns_query_end *end);

/* Shares out the queries among those who ask. All zero before its first query; afterwards it must
 * be closed before it is freed. */
struct dns_account {
    size_t n_open; /* queries */
    bool is_open;  /* it has a share */
};

/* What distinguishes one query from another. */
struct dns_question {
    const char *name; /* a full name of at most DNS_NAME_MAX bytes, in lower case */
    enum dns_type type;
    bool is_test; /* sends the query whatever is in the cache, and beyond the limit */
    void *topic;  /* for dns_queries_callback; NULL: none */
    struct dns_account *account; /* NULL: shared by all that have none */
};

/* `servers` as for dns_client_new(); `on_end` may be NULL. `event` is kept referenced. Returns 0
 * with *ret, or a negative errno. */
int dns_queries_new(sd_event *event, const char *servers, dns_queries_callback on_end,
                    struct dns_queries **ret);

/* Uses these name servers from now on, and repeats the queries that were not answered yet. Not to
 * be called from a callback of the client. Returns 0; or a negative errno, with everything as it
 * was. */
int dns_queries_set_servers(struct dns_queries *queries, const char *servers);

/* Closes the account: its share goes to the others. */
void dns_queries_close_account(struct dns_queries *queries, struct dns_account *account);

/* Ends every query without callbacks; no waiter waits any more. NULL does nothing. */
void dns_queries_free(struct dns_queries *queries);

/* For tests: replaces DNS_QUERY_LIMIT_USEC for new queries. May be lowered only before the first
 * query. */
void dns_queries_set_limit(struct dns_queries *queries, uint64_t limit_usec);

/* Returns 1 with *ret_fact from the cache; 0 if the waiter's callback will be called; -EBUSY if the
 * account has used up its share; or another negative errno. With `waiter` NULL the answer only goes
 * to the cache. */
int dns_queries_ask(struct dns_queries *queries, const struct dns_question *question,
                    struct dns_waiter *waiter, struct dns_fact *ret_fact);

/* Looks into the cache. Returns true with *ret. */
bool dns_queries_look(struct dns_queries *queries, const char *name, enum dns_type type,
                      struct dns_fact *ret);

/* The waiter waits no longer. The query goes on, since others may want its answer. Does nothing if
 * it waits for nothing. */
void dns_waiter_leave(struct dns_waiter *waiter);

/* How many queries are not answered yet, including those that are past their limit. */
size_t dns_queries_n_open(const struct dns_queries *queries);
