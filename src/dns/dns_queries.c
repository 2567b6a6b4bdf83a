/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dns/dns_queries.h"

#include "base/event_source.h"
#include "base/macro.h"
#include "base/siphash.h"
#include "base/time.h"
#include "base/timer.h"
#include "dns/dns_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define N_BUCKETS 1024

/* The limit may be noticed this much late. */
#define ACCURACY_USEC (10 * USEC_PER_MSEC)

enum query_state {
    QUERY_ASKED, /* in a bucket and in `asked` */
    QUERY_LATE,  /* in `late`: its limit has passed, and its waiters have been told; an answer
                    that comes still is worth keeping */
    QUERY_ENDED, /* in `ended`: the client has called back, and the waiters will be told soon */
};

/* A query; the client calls back for it once. */
struct dns_query {
    struct dns_queries *owner;
    enum query_state state;
    LIST_ENTRY(dns_query) in_bucket;
    TAILQ_ENTRY(dns_query) link; /* in owner->asked, ->late or ->ended */
    LIST_HEAD(, dns_waiter) waiters;
    void *topic;
    struct dns_account *account; /* while asked; NULL: it is a test, or its account is closed */
    uint64_t asked_usec;
    uint64_t until_usec;
    enum dns_type type;
    int error;
    struct dns_fact fact; /* if error is 0 */
    char name[];
};

TAILQ_HEAD(query_queue, dns_query);

struct dns_queries {
    sd_event *event;
    struct dns_client *client;
    struct dns_cache *cache;
    dns_queries_callback on_end;
    uint64_t limit_usec;
    struct timer timer; /* fires at the limit of the first of `asked`; all have the same limit */
    sd_event_source *deferred; /* enabled while `ended` has queries */
    struct siphash_key key;
    struct dns_account common; /* for those that have no account */
    size_t n_accounts;         /* that are open */
    size_t n_open;             /* asked or late */
    bool is_moving; /* to another client: queries that the old one cancels are asked again */
    struct query_queue asked;
    struct query_queue late;
    struct query_queue ended;
    LIST_HEAD(, dns_query) buckets[N_BUCKETS];
};

static size_t bucket_of(const struct dns_queries *queries, const char *name)
{
    return siphash(&queries->key, name, strlen(name)) % N_BUCKETS;
}

static struct dns_query *find(const struct dns_queries *queries,
                              const struct dns_question *question)
{
    struct dns_query *query;

    LIST_FOREACH(query, &queries->buckets[bucket_of(queries, question->name)], in_bucket)
        if (query->type == question->type && strcmp(query->name, question->name) == 0)
            return query;
    return NULL;
}

static void set_timer(struct dns_queries *queries)
{
    const struct dns_query *first = TAILQ_FIRST(&queries->asked);

    timer_set_at(&queries->timer, first ? first->until_usec : USEC_INFINITY);
}

void dns_waiter_leave(struct dns_waiter *waiter)
{
    if (!waiter->query)
        return;
    LIST_REMOVE(waiter, link);
    waiter->query = NULL;
}

/* Each callback may make others leave, and start new queries. This query is no longer in a bucket,
 * so no waiter can join it. */
static void tell(struct dns_query *query, int error)
{
    const struct dns_fact *fact = error < 0 ? NULL : &query->fact;
    struct dns_waiter *waiter;

    const struct dns_query_end end = {
        .type = query->type,
        .error = error,
        .fact = fact,
        .took_usec = time_now_usec(CLOCK_MONOTONIC) - query->asked_usec,
    };

    if (query->topic && query->owner->on_end)
        query->owner->on_end(query->topic, &end);
    while ((waiter = LIST_FIRST(&query->waiters))) {
        dns_waiter_leave(waiter);
        waiter->callback(waiter, error, fact);
    }
}

static bool has_room(struct dns_queries *queries, struct dns_account *account)
{
    if (!account->is_open) {
        account->is_open = true;
        queries->n_accounts++;
    }
    return account->n_open < DNS_QUERIES_MAX / queries->n_accounts;
}

static void account_take(struct dns_query *query, struct dns_account *account)
{
    query->account = account;
    account->n_open++;
}

static void account_give_back(struct dns_query *query)
{
    if (query->account)
        query->account->n_open--;
    query->account = NULL;
}

/* Moves a query from asked or late to ended. Called by the client, perhaps within
 * dns_queries_ask(). */
static void on_answer(void *userdata, int error, const struct dns_fact *fact)
{
    struct dns_query *query = userdata;
    struct dns_queries *owner = query->owner;

    if (owner->is_moving && query->state == QUERY_ASKED)
        return;
    if (error == 0) {
        query->fact = *fact;
        dns_cache_put(owner->cache, query->name, query->type, time_now_usec(CLOCK_MONOTONIC), fact);
    }
    owner->n_open--;
    account_give_back(query);
    if (query->state == QUERY_LATE) {
        TAILQ_REMOVE(&owner->late, query, link);
        free(query);
        return;
    }
    query->state = QUERY_ENDED;
    query->error = error;
    LIST_REMOVE(query, in_bucket);
    TAILQ_REMOVE(&owner->asked, query, link);
    TAILQ_INSERT_TAIL(&owner->ended, query, link);
    event_source_defer(owner->deferred);
}

static int on_deferred(_unused_ sd_event_source *source, void *userdata)
{
    struct dns_queries *queries = userdata;
    struct dns_query *query;

    while ((query = TAILQ_FIRST(&queries->ended))) {
        TAILQ_REMOVE(&queries->ended, query, link);
        tell(query, query->error);
        free(query);
    }
    return 0;
}

static void on_timer(void *userdata)
{
    struct dns_queries *queries = userdata;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    struct dns_query *query;

    while ((query = TAILQ_FIRST(&queries->asked)) && query->until_usec <= now) {
        query->state = QUERY_LATE;
        account_give_back(query);
        LIST_REMOVE(query, in_bucket);
        TAILQ_REMOVE(&queries->asked, query, link);
        TAILQ_INSERT_TAIL(&queries->late, query, link);
        tell(query, -ETIMEDOUT);
    }
    set_timer(queries);
}

/* Sends a query that is not under way yet. */
static int ask_servers(struct dns_queries *queries, const struct dns_question *question,
                       struct dns_waiter *waiter)
{
    size_t name_size = strlen(question->name) + 1;

    struct dns_account *account = question->account ? question->account : &queries->common;
    if (!question->is_test && !has_room(queries, account))
        return -EBUSY;
    struct dns_query *query = calloc(1, sizeof(*query) + name_size);
    if (!query)
        return -ENOMEM;
    query->owner = queries;
    query->topic = question->topic;
    query->type = question->type;
    query->asked_usec = time_now_usec(CLOCK_MONOTONIC);
    query->until_usec = time_add_usec(query->asked_usec, queries->limit_usec);
    if (!question->is_test)
        account_take(query, account);
    memcpy(query->name, question->name, name_size);
    LIST_INIT(&query->waiters);
    LIST_INSERT_HEAD(&queries->buckets[bucket_of(queries, query->name)], query, in_bucket);
    TAILQ_INSERT_TAIL(&queries->asked, query, link);
    queries->n_open++;
    if (waiter) {
        waiter->query = query;
        LIST_INSERT_HEAD(&query->waiters, waiter, link);
    }
    if (TAILQ_FIRST(&queries->asked) == query)
        set_timer(queries);
    dns_client_ask(queries->client, query->name, query->type, on_answer, query);
    return 0;
}

int dns_queries_ask(struct dns_queries *queries, const struct dns_question *question,
                    struct dns_waiter *waiter, struct dns_fact *ret_fact)
{
    struct dns_query *query = find(queries, question);

    if (!query && !question->is_test &&
        dns_cache_find(queries->cache, question->name, question->type,
                       time_now_usec(CLOCK_MONOTONIC), ret_fact))
        return 1;
    if (!query)
        return ask_servers(queries, question, waiter);
    if (waiter) {
        waiter->query = query;
        LIST_INSERT_HEAD(&query->waiters, waiter, link);
    }
    return 0;
}

bool dns_queries_look(struct dns_queries *queries, const char *name, enum dns_type type,
                      struct dns_fact *ret)
{
    return dns_cache_find(queries->cache, name, type, time_now_usec(CLOCK_MONOTONIC), ret);
}

static int add_sources(struct dns_queries *queries)
{
    int r = timer_init(&queries->timer, queries->event, ACCURACY_USEC, on_timer, queries);
    if (r >= 0)
        r = sd_event_add_defer(queries->event, &queries->deferred, on_deferred, queries);
    if (r >= 0)
        event_source_off(queries->deferred);
    return r;
}

int dns_queries_new(sd_event *event, const char *servers, dns_queries_callback on_end,
                    struct dns_queries **ret)
{
    struct dns_queries *queries = calloc(1, sizeof(*queries));

    if (!queries)
        return -ENOMEM;
    queries->event = sd_event_ref(event);
    queries->on_end = on_end;
    queries->limit_usec = DNS_QUERY_LIMIT_USEC;
    TAILQ_INIT(&queries->asked);
    TAILQ_INIT(&queries->late);
    TAILQ_INIT(&queries->ended);
    int r = siphash_key_random(&queries->key);
    if (r >= 0)
        r = dns_cache_new(DNS_CACHE_MAX, &queries->cache);
    if (r >= 0)
        r = dns_client_new(event, servers, &queries->client);
    if (r >= 0)
        r = add_sources(queries);
    if (r < 0) {
        dns_queries_free(queries);
        return r;
    }
    *ret = queries;
    return 0;
}

void dns_queries_close_account(struct dns_queries *queries, struct dns_account *account)
{
    struct dns_query *query;

    TAILQ_FOREACH(query, &queries->asked, link)
        if (query->account == account)
            query->account = NULL;
    queries->n_accounts -= account->is_open;
    *account = (struct dns_account){0};
}

int dns_queries_set_servers(struct dns_queries *queries, const char *servers)
{
    struct dns_query *query, *next;
    struct dns_client *client;
    int r = dns_client_new(queries->event, servers, &client);

    if (r < 0)
        return r;
    queries->is_moving = true;
    dns_client_free(queries->client);
    queries->is_moving = false;
    queries->client = client;
    /* One that ends at once leaves the list. */
    for (query = TAILQ_FIRST(&queries->asked); query; query = next) {
        next = TAILQ_NEXT(query, link);
        dns_client_ask(client, query->name, query->type, on_answer, query);
    }
    return 0;
}

void dns_queries_free(struct dns_queries *queries)
{
    struct dns_query *query;

    if (!queries)
        return;
    /* This moves the queries in `asked` to `ended`, and frees those in `late`. */
    dns_client_free(queries->client);
    while ((query = TAILQ_FIRST(&queries->ended))) {
        struct dns_waiter *waiter;
        while ((waiter = LIST_FIRST(&query->waiters)))
            dns_waiter_leave(waiter);
        TAILQ_REMOVE(&queries->ended, query, link);
        free(query);
    }
    dns_cache_free(queries->cache);
    timer_clear(&queries->timer);
    sd_event_source_disable_unref(queries->deferred);
    sd_event_unref(queries->event);
    free(queries);
}

void dns_queries_set_limit(struct dns_queries *queries, uint64_t limit_usec)
{
    queries->limit_usec = limit_usec;
}

size_t dns_queries_n_open(const struct dns_queries *queries)
{
    return queries->n_open;
}
