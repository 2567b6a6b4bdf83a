/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/trial.h"

#include "access/address_limit.h"
#include "access/concurrency.h"
#include "access/source.h"
#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/checks/reject.h"
#include "dispatcherd/core/context.h"
#include "dns/dns_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A trial under way. */
struct attempt {
    struct trial *trial;
    struct service *service;
    struct admission *admission;
    const struct trial_rules *rules;
    const struct address *client;
    const struct address *local;
    bool is_permitted; /* by $Y of an entry */
};

static void on_event(void *data, const struct mapping_trace *event)
{
    struct attempt *attempt = data;

    trace_lines_add_event(&attempt->trial->trace, event);
}

/* $?x? does not apply, as for most clients. */
static uint32_t no_chance(void *data)
{
    struct attempt *attempt = data;

    attempt->trial->is_certain = false;
    return 0;
}

static void reject(struct attempt *attempt, enum statistics_rejection reason)
{
    attempt->trial->is_rejected = true;
    attempt->trial->reason = reason;
}

/* Callouts */

static bool look_at_throttle(struct attempt *attempt, const struct callout *callout, size_t depth)
{
    enum throttle_kind kind =
        callout->routine == CALLOUT_THROTTLE ? THROTTLE_PLAIN : THROTTLE_PENALTY;
    const struct throttle_key key = {
        .max_rate = callout->limit, .kind = kind, .window_sec = callout->window_sec};
    char window[24] = "this minute";
    uint32_t count;

    if (key.window_sec > 0)
        snprintf(window, sizeof(window), "these %u s", key.window_sec);
    bool is_over = throttle_key_would_be_over(attempt->admission->throttle, &key, &callout->address,
                                              time_now_usec(CLOCK_MONOTONIC), &count);
    trace_lines_add(&attempt->trial->trace, depth, "%s: %u %s in %s, of at most %u: %s",
                    callout_routine_to_string(callout->routine), count,
                    str_plural(count, "connection counts", "connections count"), window,
                    callout->limit, is_over ? "one more is too many" : "one more is allowed");
    return is_over;
}

/* Connections of the address or network, including the one of this trial. */
static uint32_t count_with_this(struct concurrency *concurrency, const struct address *address,
                                const struct address *client)
{
    struct source source, of_client;

    return concurrency_lookup(concurrency, address) +
           (source_of(address, &source) && source_of(client, &of_client) &&
            memcmp(&source, &of_client, sizeof(source)) == 0);
}

static bool look_at_concurrency(struct attempt *attempt, const struct callout *callout,
                                size_t depth)
{
    uint32_t n =
        count_with_this(attempt->service->addresses.hosts, &callout->address, attempt->client);

    trace_lines_add(&attempt->trial->trace, depth,
                    "%s: it would be connection %u of at most %u at a time",
                    callout_routine_to_string(callout->routine), n, callout->limit);
    return n > callout->limit;
}

static const char *outcome_text(enum dns_lists_outcome outcome)
{
    switch (outcome) {
    case DNS_LISTS_LISTED:
        return "lists the address (from the cache)";
    case DNS_LISTS_SET_ASIDE:
        return "is set aside, and rejects nobody";
    case DNS_LISTS_NOT_ASKED:
        return "is not queried: DNS lists have no entries for such an address";
    case DNS_LISTS_FAILED:
        return "cannot be queried";
    default:
        return "does not list the address (from the cache)";
    }
}

/* The `text` of the answer is valid until the next call. */
static bool look_at_list(struct attempt *attempt, const struct address *address, const char *zone,
                         size_t depth, struct dns_lists_answer *ret)
{
    bool is_known = dns_lists_look(attempt->admission->lists, address, zone, ret);

    if (!is_known)
        attempt->trial->is_certain = false;
    trace_lines_add(&attempt->trial->trace, depth, "DNS list %s %s", zone,
                    is_known ? outcome_text(ret->outcome)
                             : "is not queried now; assuming that it does not list the address");
    return ret->is_listed;
}

static void answer_callout(struct attempt *attempt, struct mapping_run *run)
{
    const struct callout *callout = &run->callout;
    struct dns_lists_answer answer = {0};
    bool succeeds = false;

    switch (callout->routine) {
    case CALLOUT_THROTTLE:
    case CALLOUT_THROTTLE_PENALTY:
        succeeds = look_at_throttle(attempt, callout, run->depth);
        break;
    case CALLOUT_CONCURRENT:
        succeeds = look_at_concurrency(attempt, callout, run->depth);
        break;
    case CALLOUT_DNS_LIST:
        succeeds = look_at_list(attempt, &callout->address, callout->zone, run->depth, &answer);
        break;
    }
    if (succeeds)
        attempt->trial->reason = reject_cause(callout->routine);
    mapping_run_resume(run, succeeds, answer.text);
}

/* Stages, as in check.c */

static void try_proxy(struct attempt *attempt)
{
    if (attempt->rules->options->proxy_protocol)
        trace_lines_add(&attempt->trial->trace, 0,
                        "PROXY_PROTOCOL: the client's address is the one in the PROXY header");
}

/* Returns whether the client is rejected. */
static bool try_limit(struct attempt *attempt, const char *name, uint64_t n, unsigned limit)
{
    struct trial *trial = attempt->trial;

    if (limit == 0)
        return false;
    trace_lines_add(&trial->trace, 0,
                    "%s: it would be connection %" PRIu64 " of at most %u at a time%s", name, n,
                    limit,
                    attempt->is_permitted
                        ? ", but that limit does not apply to an address named by an entry with $Y"
                        : "");
    if (n <= limit || attempt->is_permitted)
        return false;
    reject(attempt, REJECTED_FOR_ADDRESS);
    trial->entry = NULL;
    trial->detail = name;
    return true;
}

static void try_address(struct attempt *attempt)
{
    const struct service *service = attempt->service;
    const struct address network = source_network(attempt->client);
    /* With a count of the store's, which may be as much as 32 bits take. */
    uint64_t n_of_address =
        count_with_this(service->addresses.hosts, attempt->client, attempt->client);
    uint32_t n_of_network = count_with_this(service->addresses.networks, &network, &network);
    struct fleet *fleet = attempt->admission->fleet;
    uint64_t at;

    if (fleet)
        n_of_address += fleet_elsewhere(fleet, service->options->unit_name, attempt->client,
                                        time_now_usec(CLOCK_MONOTONIC), &at);
    bool is_address = try_limit(attempt, "MAX_CONNS_PER_ADDRESS", n_of_address,
                                attempt->rules->options->max_conns_per_address);

    if (is_address || try_limit(attempt, "MAX_CONNS_PER_NETWORK", n_of_network,
                                attempt->rules->options->max_conns_per_network))
        snprintf(attempt->trial->text, sizeof(attempt->trial->text), "%s",
                 address_limit_rejection(attempt->local->port, !is_address));
}

static void add_text(struct attempt *attempt, const char *name, const char *text)
{
    if (*text)
        trace_lines_add(&attempt->trial->trace, 0, "%s: %s", name, text);
}

/* Returns whether an entry has decided. */
static bool judge(struct attempt *attempt, const struct mapping_run *run)
{
    static struct port_access verdict; /* long texts */
    struct trial *trial = attempt->trial;

    port_access_judge(run, &verdict);
    if (verdict.has_hit_limit)
        add_text(attempt, "limit", "the table takes too many steps; the client is admitted");
    add_text(attempt, "logged", verdict.match_note);
    add_text(attempt, "logged", verdict.reject_note);
    add_text(attempt, "access tag", verdict.tag);
    add_text(attempt, "kept with the connection", verdict.log_text);
    trial->entry = verdict.entry;
    trial->is_rejected = verdict.is_rejected;
    attempt->is_permitted = verdict.is_permitted;
    strcpy(trial->text, verdict.reply);
    return verdict.is_matched;
}

/* Returns 1 if an entry has decided, 0, or -ENOMEM. */
static int try_mapping(struct attempt *attempt)
{
    const struct mapping_hooks hooks = {.chance = no_chance, .trace = on_event, .data = attempt};
    char probe[PORT_ACCESS_PROBE_MAX];

    if (!mapping_set_find(attempt->rules->mappings, MAPPING_PORT_ACCESS) ||
        port_access_probe(attempt->local, attempt->client, probe) < 0)
        return 0;
    struct mapping_run *run = admission_take_run(attempt->admission);
    if (!run)
        return -ENOMEM;
    attempt->trial->reason = REJECTED_BY_MAPPING;
    mapping_run_start(run, attempt->rules->mappings, MAPPING_PORT_ACCESS, probe,
                      PORT_ACCESS_INPUT_FLAGS, &hooks);
    while (mapping_run_step(run) == MAPPING_CALLOUT)
        answer_callout(attempt, run);
    bool has_decided = judge(attempt, run);
    admission_return_run(attempt->admission, run);
    return has_decided;
}

static void try_lists(struct attempt *attempt)
{
    const struct str_list *zones = &attempt->rules->options->dns_verify_domains;
    struct trial *trial = attempt->trial;
    bool was_certain = trial->is_certain;
    struct dns_lists_answer answer;

    for (size_t i = 0; i < zones->n_items; i++) {
        if (!look_at_list(attempt, attempt->client, zones->items[i], 0, &answer) ||
            trial->is_rejected)
            continue;
        reject(attempt, REJECTED_BY_DNS_LIST);
        trial->zone = zones->items[i];
        snprintf(trial->text, sizeof(trial->text), "%s", dns_list_rejection(attempt->local->port));
    }
    /* A list that contains the client rejects it, whatever the others would say. */
    if (trial->zone)
        trial->is_certain = was_certain;
}

struct trial_rules trial_rules_in_force(const struct service *service)
{
    return (struct trial_rules){.mappings = service->context->admission->mappings,
                                .options = service->options};
}

int trial_run(struct service *service, const struct trial_rules *rules,
              const struct address *client, const struct address *local, struct trial *trial)
{
    struct attempt attempt = {
        .trial = trial,
        .service = service,
        .admission = service->context->admission,
        .rules = rules,
        .client = client,
        .local = local,
    };

    *trial = (struct trial){.is_certain = true, .trace = {.n_max = trial->trace.n_max}};
    try_proxy(&attempt);
    int r = try_mapping(&attempt);
    if (r >= 0 && !trial->is_rejected)
        try_address(&attempt);
    if (r == 0 && !trial->is_rejected)
        try_lists(&attempt);
    if (trial->trace.lines.n_items == 0)
        trace_lines_add(&trial->trace, 0, "connections of this service are not checked");
    return r < 0 || trial->trace.is_out_of_memory ? -ENOMEM : 0;
}
