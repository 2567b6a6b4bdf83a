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

/* Distinct questions at once. */
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

/* Called once for each question that went out with a topic, before those who wait for it. */
typedef void (*dns_queries_callback)(void *topic, enum dns_type type, int error,
                                     const struct dns_fact *fact);

/* What makes one question differ from another. */
struct dns_question {
    const char *name; /* a full name of at most DNS_NAME_MAX bytes, in lower case */
    enum dns_type type;
    bool is_test; /* asks the servers whatever the cache knows, and whatever the cap */
    void *topic;  /* for dns_queries_callback; NULL: none */
};

/* `servers` as for dns_client_new(); `on_end` may be NULL. `event` is kept referenced. Returns 0
 * with *ret, or a negative errno. */
int dns_queries_new(sd_event *event, const char *servers, dns_queries_callback on_end,
                    struct dns_queries **ret);

/* Asks these name servers from now on, and asks them again what others have not answered yet. Not
 * from a callback of the client. Returns 0; or a negative errno, and everything is as it was. */
int dns_queries_set_servers(struct dns_queries *queries, const char *servers);

/* Ends every question, without callbacks; no waiter waits any more. NULL does nothing. */
void dns_queries_free(struct dns_queries *queries);

/* For tests: instead of DNS_QUERY_LIMIT_USEC, for questions asked from now on. Lower only before
 * the first question. */
void dns_queries_set_limit(struct dns_queries *queries, uint64_t limit_usec);

/* Returns 1 with *ret_fact from the cache; 0 where the waiter's callback will come; -EBUSY over the
 * cap; or another negative errno. `waiter` NULL asks for the cache's sake. */
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
