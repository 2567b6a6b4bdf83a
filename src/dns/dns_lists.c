/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dns/dns_lists.h"

#include "base/macro.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* What is known from one list. */
enum part_state {
    PART_FAILED, /* or was not begun */
    PART_WAITING,
    PART_YES,
    PART_NO,
    PART_TIMED_OUT,
    PART_OVER_CAP,
};

/* One list of a request. */
struct part {
    struct dns_request *request;
    struct dns_zone *zone; /* NULL: FAILED, since the name is no zone */
    enum part_state state;
    struct dns_waiter address; /* waits while WAITING */
    struct dns_waiter text;    /* waits while the text may still arrive */
    struct in_addr listed_as;
    char words[DNS_TEXT_MAX + 1];
};

struct dns_request {
    struct dns_lists *owner;
    TAILQ_ENTRY(dns_request) link;
    dns_lists_callback callback;
    void *userdata;
    struct address client;
    bool wants_text;
    struct dns_account *account;
    size_t n_parts;
    struct part parts[];
};

struct dns_lists {
    struct dns_queries *queries;
    struct dns_zones *zones;
    TAILQ_HEAD(, dns_request) requests; /* the one that has waited longest comes first */
    size_t n_requests;
    char text[DNS_TEXT_MAX + 1]; /* of the last answer that was known at once */
};

/* The zone counts the parts that wait for it. */
static void set_state(struct part *part, enum part_state state)
{
    if (state == PART_WAITING && part->state != PART_WAITING)
        dns_zone_wait_begins(part->zone);
    else if (state != PART_WAITING && part->state == PART_WAITING && part->zone)
        dns_zone_wait_ends(part->zone);
    part->state = state;
}

static bool is_set_aside(const struct part *part)
{
    return part->zone && dns_zone_state(part->zone) == DNS_HEALTH_ILL;
}

/* The outcome of a part that does not wait any more. */
static enum dns_lists_outcome outcome_of(const struct part *part)
{
    if (is_set_aside(part))
        return DNS_LISTS_SET_ASIDE;
    switch (part->state) {
    case PART_YES:
        return DNS_LISTS_LISTED;
    case PART_TIMED_OUT:
        return DNS_LISTS_TIMED_OUT;
    case PART_FAILED:
        return DNS_LISTS_FAILED;
    case PART_OVER_CAP:
        return DNS_LISTS_OVER_CAP;
    case PART_NO:
    case PART_WAITING:
        break;
    }
    return DNS_LISTS_CLEAN;
}

static bool is_waiting(const struct part *part)
{
    if (is_set_aside(part))
        return false;
    if (part->state == PART_YES)
        return part->text.query || dns_zone_state(part->zone) == DNS_HEALTH_UNTESTED;
    return part->state == PART_WAITING;
}

/* Returns the part that decides: one with "listed" or, when none waits any more, the one with the
 * least outcome. NULL while there is something to wait for. */
static const struct part *decide(const struct dns_request *request)
{
    const struct part *least = NULL;
    bool waits = false;

    for (size_t i = 0; i < request->n_parts; i++) {
        const struct part *part = &request->parts[i];
        if (is_waiting(part)) {
            waits = true;
            continue;
        }
        if (outcome_of(part) == DNS_LISTS_LISTED)
            return part;
        if (!least || outcome_of(part) < outcome_of(least))
            least = part;
    }
    return waits ? NULL : least;
}

static struct dns_lists_answer answer_of(const struct part *part)
{
    enum dns_lists_outcome outcome = outcome_of(part);
    bool is_listed = outcome == DNS_LISTS_LISTED;

    return (struct dns_lists_answer){
        .is_listed = is_listed,
        .zone = part->zone ? dns_zone_name(part->zone) : NULL,
        .address = is_listed ? part->listed_as : (struct in_addr){0},
        .text = is_listed && part->words[0] != '\0' ? part->words : NULL,
        .outcome = outcome,
    };
}

static void count(struct dns_request *request)
{
    for (size_t i = 0; i < request->n_parts; i++) {
        const struct part *part = &request->parts[i];
        if (!part->zone || is_set_aside(part))
            continue;
        struct dns_zone_figures *figures = dns_zone_figures(part->zone);
        figures->n_queries++;
        figures->n_listed += part->state == PART_YES;
        figures->n_timed_out += part->state == PART_TIMED_OUT;
        figures->n_failed += part->state == PART_FAILED || part->state == PART_OVER_CAP;
    }
}

static void request_free(struct dns_request *request)
{
    struct dns_lists *owner = request->owner;

    for (size_t i = 0; i < request->n_parts; i++) {
        set_state(&request->parts[i], PART_FAILED);
        dns_waiter_leave(&request->parts[i].address);
        dns_waiter_leave(&request->parts[i].text);
    }
    TAILQ_REMOVE(&owner->requests, request, link);
    owner->n_requests--;
    free(request);
}

/* The request leaves the table first: the callback may cancel others, and must not find this one.
 */
static void finish(struct dns_request *request, const struct part *part)
{
    const struct dns_lists_answer answer = answer_of(part);
    dns_lists_callback callback = request->callback;

    count(request);
    request->callback = NULL;
    callback(request, &answer, request->userdata);
    request_free(request);
}

/* Ends the request if it is decided. */
static void settle(struct dns_request *request)
{
    const struct part *part = decide(request);

    if (part && request->callback)
        finish(request, part);
}

static enum part_state state_of(int error, const struct dns_fact *fact)
{
    if (error == -ETIMEDOUT)
        return PART_TIMED_OUT;
    if (error == -EBUSY)
        return PART_OVER_CAP;
    if (error < 0)
        return PART_FAILED;
    return fact->meaning == DNS_ANSWER_LISTED ? PART_YES : PART_NO;
}

static void on_text(struct dns_waiter *waiter, int error, const struct dns_fact *fact)
{
    struct part *part = CONTAINER_OF(waiter, struct part, text);

    if (error == 0)
        strcpy(part->words, fact->text);
    settle(part->request);
}

/* Requests may end in this loop, and the callback of each may cancel any other. So the search
 * starts again after each; changes of a list are rare. */
static void on_zone_change(_unused_ const struct dns_zone *zone, void *userdata)
{
    struct dns_lists *lists = userdata;
    struct dns_request *request;

    do {
        TAILQ_FOREACH(request, &lists->requests, link)
            if (request->callback && decide(request))
                break;
        if (request)
            settle(request);
    } while (request);
}

/* Queries one type of record: the part's waiter waits, or *ret_fact is known. Returns what
 * dns_queries_ask() does. */
static int ask_for(struct part *part, enum dns_type type, struct dns_waiter *waiter,
                   struct dns_fact *ret_fact)
{
    const struct dns_request *request = part->request;
    char name[DNS_NAME_MAX + 1];
    const struct dns_question question = {
        .name = name, .type = type, .topic = part->zone, .account = request->account};

    int r = dns_list_query_name(&request->client, dns_zone_name(part->zone), name);
    return r < 0 ? r : dns_queries_ask(request->owner->queries, &question, waiter, ret_fact);
}

/* Most clients are on no list, and cause no second query. */
static void take_address(struct part *part, int error, const struct dns_fact *fact)
{
    struct dns_fact text;

    set_state(part, state_of(error, fact));
    if (part->state != PART_YES)
        return;
    part->listed_as = fact->address;
    if (part->request->wants_text && ask_for(part, DNS_TYPE_TXT, &part->text, &text) > 0)
        strcpy(part->words, text.text);
}

static void on_address(struct dns_waiter *waiter, int error, const struct dns_fact *fact)
{
    struct part *part = CONTAINER_OF(waiter, struct part, address);

    take_address(part, error, fact);
    settle(part->request);
}

static void start_part(struct part *part, const char *zone)
{
    struct dns_fact fact;

    part->address.callback = on_address;
    part->text.callback = on_text;
    part->state = PART_FAILED;
    if (dns_zones_use(part->request->owner->zones, zone, &part->zone) < 0 || is_set_aside(part))
        return;
    int r = ask_for(part, DNS_TYPE_A, &part->address, &fact);
    if (r == 0)
        set_state(part, PART_WAITING);
    else
        take_address(part, r < 0 ? r : 0, &fact);
}

static struct dns_request *request_new(struct dns_lists *lists, size_t n_parts,
                                       dns_lists_callback callback, void *userdata)
{
    struct dns_request *request = calloc(1, sizeof(*request) + n_parts * sizeof(request->parts[0]));

    if (!request)
        return NULL;
    request->owner = lists;
    request->callback = callback;
    request->userdata = userdata;
    request->n_parts = n_parts;
    TAILQ_INSERT_TAIL(&lists->requests, request, link);
    lists->n_requests++;
    return request;
}

int dns_lists_ask(struct dns_lists *lists, const struct dns_lists_question *question,
                  dns_lists_callback callback, void *userdata, struct dns_request **ret,
                  struct dns_lists_answer *ret_answer)
{
    size_t n_zones = question->n_zones;

    if (n_zones == 0 || dns_list_never_asks(question->client)) {
        *ret_answer = (struct dns_lists_answer){.outcome = DNS_LISTS_NOT_ASKED};
        return 1;
    }
    if (n_zones > DNS_LISTS_ZONES_MAX)
        return -E2BIG;
    struct dns_request *request = request_new(lists, n_zones, callback, userdata);
    if (!request)
        return -ENOMEM;
    request->client = *question->client;
    request->wants_text = question->wants_text;
    request->account = question->account;
    for (size_t i = 0; i < n_zones; i++) {
        request->parts[i].request = request;
        start_part(&request->parts[i], question->zones[i]);
    }
    const struct part *part = decide(request);
    if (!part) {
        *ret = request;
        return 0;
    }
    count(request);
    *ret_answer = answer_of(part);
    if (ret_answer->text)
        ret_answer->text = strcpy(lists->text, ret_answer->text);
    request_free(request);
    return 1;
}

static enum dns_health_state health_of(const struct dns_lists *lists, const char *zone)
{
    const struct dns_zone *known = NULL;

    while ((known = dns_zones_next(lists->zones, known)))
        if (strcmp(dns_zone_name(known), zone) == 0)
            return dns_zone_state(known);
    return DNS_HEALTH_UNTESTED;
}

bool dns_lists_look(struct dns_lists *lists, const struct address *client, const char *zone,
                    struct dns_lists_answer *ret)
{
    char clean[DNS_ZONE_MAX + 1], name[DNS_NAME_MAX + 1];
    struct dns_fact fact;

    *ret = (struct dns_lists_answer){.outcome = DNS_LISTS_NOT_ASKED};
    if (dns_list_never_asks(client))
        return true;
    ret->outcome = DNS_LISTS_FAILED;
    if (dns_list_read_zone(zone, clean) < 0 || dns_list_query_name(client, clean, name) < 0)
        return true;
    ret->outcome = DNS_LISTS_SET_ASIDE;
    if (health_of(lists, clean) == DNS_HEALTH_ILL)
        return true;
    if (!dns_queries_look(lists->queries, name, DNS_TYPE_A, &fact))
        return false;
    ret->is_listed = fact.meaning == DNS_ANSWER_LISTED;
    ret->outcome = ret->is_listed ? DNS_LISTS_LISTED : DNS_LISTS_CLEAN;
    if (ret->is_listed && dns_queries_look(lists->queries, name, DNS_TYPE_TXT, &fact) &&
        fact.text[0])
        ret->text = strcpy(lists->text, fact.text);
    return true;
}

/* In its own callback it is freed after that returns. */
void dns_request_cancel(struct dns_request *request)
{
    if (request && request->callback)
        request_free(request);
}

int dns_lists_new(sd_event *event, const char *servers, const struct dns_lists_callbacks *callbacks,
                  struct dns_lists **ret)
{
    struct dns_lists *lists = calloc(1, sizeof(*lists));

    if (!lists)
        return -ENOMEM;
    TAILQ_INIT(&lists->requests);
    const struct dns_zones_hooks hooks = {
        .on_health = callbacks->on_health,
        .on_health_userdata = callbacks->userdata,
        .on_change = on_zone_change,
        .on_change_userdata = lists,
    };
    int r = dns_queries_new(event, servers, dns_zones_on_query_end, &lists->queries);
    if (r >= 0)
        r = dns_zones_new(event, lists->queries, &hooks, &lists->zones);
    if (r < 0) {
        dns_lists_free(lists);
        return r;
    }
    *ret = lists;
    return 0;
}

void dns_lists_close_account(struct dns_lists *lists, struct dns_account *account)
{
    dns_queries_close_account(lists->queries, account);
}

int dns_lists_set_servers(struct dns_lists *lists, const char *servers)
{
    int r = dns_queries_set_servers(lists->queries, servers);

    if (r == 0)
        dns_zones_start_afresh(lists->zones);
    return r;
}

void dns_lists_free(struct dns_lists *lists)
{
    if (!lists)
        return;
    while (!TAILQ_EMPTY(&lists->requests))
        request_free(TAILQ_FIRST(&lists->requests));
    dns_zones_free(lists->zones);
    dns_queries_free(lists->queries);
    free(lists);
}

void dns_lists_set_times(struct dns_lists *lists, uint64_t limit_usec, uint64_t usec_well,
                         uint64_t usec_ill)
{
    dns_queries_set_limit(lists->queries, limit_usec);
    dns_zones_set_intervals(lists->zones, usec_well, usec_ill);
}

const struct dns_zone *dns_lists_next_zone(const struct dns_lists *lists,
                                           const struct dns_zone *previous,
                                           struct dns_zone_figures *ret)
{
    struct dns_zone *zone = dns_zones_next(lists->zones, previous);

    if (zone)
        *ret = *dns_zone_figures(zone);
    return zone;
}

size_t dns_lists_n_requests(const struct dns_lists *lists)
{
    return lists->n_requests;
}

size_t dns_lists_n_queries(const struct dns_lists *lists)
{
    return dns_queries_n_open(lists->queries);
}
