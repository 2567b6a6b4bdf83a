/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/check.h"

#include "access/address_limit.h"
#include "access/dns_list.h"
#include "base/time.h"
#include "dispatcherd/checks/check_internal.h"
#include "dispatcherd/checks/check_report.h"
#include "dispatcherd/checks/hangup.h"
#include "dispatcherd/checks/identity.h"
#include "dispatcherd/core/completion.h"

#include <stdlib.h>
#include <string.h>

static void advance(struct check *check);

void check_refuse(struct check *check, enum statistics_rejection reason, const char *what)
{
    check->refusal.reason = reason;
    check->refusal.what = what;
    check->stage = CHECK_REFUSED;
}

void check_answered(struct check *check)
{
    check->is_waiting = false;
    check->hangup_source = sd_event_source_disable_unref(check->hangup_source);
    advance(check);
}

/* The PROXY header */

static void on_proxy_header(struct proxy_reader *reader, const struct proxy_result *result,
                            void *userdata)
{
    struct check *check = userdata;
    struct connection *connection = check->connection;

    switch (result->outcome) {
    case PROXY_READ:
        if (result->is_proxied) {
            connection->peer = result->peer;
            connection->local = result->local;
        }
        check->stage = CHECK_ADDRESS;
        break;
    case PROXY_CLOSED:
        check->stage = CHECK_GONE;
        break;
    case PROXY_INVALID:
    case PROXY_TIMED_OUT:
    case PROXY_FAILED:
        check_refuse(check, REJECTED_FOR_PROXY_HEADER, result->fault);
        break;
    }
    proxy_reader_free(reader);
    check->proxy = NULL;
    check_answered(check);
}

static void read_proxy_header(struct check *check)
{
    struct connection *connection = check->connection;

    if (!check_options(check)->proxy_protocol || connection->is_readmitted) {
        check->stage = CHECK_ADDRESS;
        return;
    }
    if (!network_list_contains(&check_options(check)->proxy_upstreams, &connection->peer)) {
        check_refuse(check, REJECTED_FOR_PROXY_HEADER, "the client is not in PROXY_UPSTREAMS");
        return;
    }
    int r = proxy_reader_start(connection->service->context->event, connection->fd,
                               PROXY_READER_LIMIT_USEC, on_proxy_header, check, &check->proxy);
    if (r < 0)
        check_refuse(check, REJECTED_FOR_ERROR, strerror(-r));
    else
        check->is_waiting = true;
}

/* How many connections the address has */

static void count_address(struct check *check)
{
    connection_count(check->connection, &check->n_of_address, &check->n_of_network);
    check->stage = CHECK_MAPPING;
}

static bool is_beyond(uint32_t n, unsigned limit)
{
    return limit > 0 && n > limit;
}

bool check_limits(struct check *check)
{
    const struct service_options *options = check_options(check);
    bool is_address = is_beyond(check->n_of_address, options->max_conns_per_address);

    if (!is_address && !is_beyond(check->n_of_network, options->max_conns_per_network))
        return false;
    check_refuse(check, REJECTED_FOR_ADDRESS,
                 is_address ? "MAX_CONNS_PER_ADDRESS" : "MAX_CONNS_PER_NETWORK");
    check->refusal.text = address_limit_rejection(check->connection->local.port, !is_address);
    check->refusal.text_length = strlen(check->refusal.text);
    return true;
}

static void limit_address(struct check *check)
{
    check->stage = check->entry ? CHECK_PASSED : CHECK_LISTS;
    if (!check->is_permitted)
        (void)check_limits(check);
}

/* DNS_VERIFY_DOMAIN */

static void take_lists_answer(struct check *check, const struct dns_lists_answer *answer)
{
    check->stage = CHECK_PASSED;
    if (!answer->is_listed)
        return;
    check_refuse(check, REJECTED_BY_DNS_LIST, NULL);
    check->refusal.list = *answer;
    check->refusal.text = dns_list_rejection(check->connection->local.port);
    check->refusal.text_length = strlen(check->refusal.text);
}

static void on_lists_answer(_unused_ struct dns_request *request,
                            const struct dns_lists_answer *answer, void *userdata)
{
    struct check *check = userdata;

    check->request = NULL;
    take_lists_answer(check, answer);
    check_answered(check);
}

/* Whatever goes wrong here accepts: a list that cannot be asked must not stop the mail. */
static void ask_lists(struct check *check)
{
    const struct str_list *zones = &check_options(check)->dns_verify_domains;
    const struct dns_lists_question question = {
        .client = &check->connection->peer,
        .zones = (const char *const *)zones->items,
        .n_zones = zones->n_items,
        .wants_text = refusal_is_told(check->connection),
        .account = &check->connection->service->dns_account,
    };
    struct dns_lists_answer answer = {0};
    int r = 1;

    if (zones->n_items > 0)
        r = dns_lists_ask(access_lists(check_access(check)), &question, on_lists_answer, check,
                          &check->request, &answer);
    if (r == 0)
        check->is_waiting = true;
    else
        take_lists_answer(check, &answer);
}

/* The end */

static void free_check(struct check *check)
{
    checks_store_leave(check_access(check)->checks_store, &check->stored);
    TAILQ_REMOVE(&check->connection->service->checks, check, link);
    sd_event_source_disable_unref(check->hangup_source);
    proxy_reader_free(check->proxy);
    dns_request_cancel(check->request);
    if (check->run)
        access_return_run(check_access(check), check->run);
    mapping_set_unref(check->mappings);
    free(check);
}

static void close_gone(struct check *check)
{
    struct connection *connection = check->connection;

    free_check(check);
    completion_gone(connection, time_now_usec(CLOCK_MONOTONIC));
}

static int on_hangup(_unused_ sd_event_source *source, _unused_ int fd, uint32_t events,
                     void *userdata)
{
    struct check *check = userdata;
    struct service *service = check->connection->service;

    if (!hangup_is_gone(check->connection, events)) {
        hangup_watch_end(check->hangup_source);
        return 0;
    }
    close_gone(check);
    service_touch(service);
    return 0;
}

/* A client that goes away while others are asked about it needs no place any more. */
static void watch_hangup(struct check *check)
{
    if (!check->proxy)
        hangup_watch(&check->hangup_source, check->connection, on_hangup, check);
}

static void pass(struct connection *connection, uint64_t now)
{
    refusal_run_end(&connection->service->refusals);
    identity_ask(connection);
    connection_wait(connection, now);
}

static void finish(struct check *check)
{
    struct connection *connection = check->connection;
    struct service *service = connection->service;
    struct refusal refusal = check->refusal;
    /* The refusal's entry is the set's. */
    _cleanup_mapping_set_ _unused_ struct mapping_set *mappings =
        check->mappings ? mapping_set_ref(check->mappings) : NULL;
    const struct mapping_entry *entry = check->entry;
    enum check_stage stage = check->stage;
    bool has_waited = check->has_waited;
    char list_text[DNS_TEXT_MAX + 1];

    if (refusal.list.text)
        refusal.list.text = strcpy(list_text, refusal.list.text);
    if (stage == CHECK_GONE) {
        close_gone(check);
    } else {
        free_check(check);
        if (stage == CHECK_REFUSED) {
            check_report_refused(connection, &refusal);
            refusal_carry_out(connection, &refusal);
        } else {
            check_report_passed(connection, entry);
            pass(connection, time_now_usec(CLOCK_MONOTONIC));
        }
    }
    /* Otherwise whoever accepted it looks at the pool next. */
    if (has_waited)
        service_touch(service);
}

static void advance(struct check *check)
{
    while (!check->is_waiting)
        switch (check->stage) {
        case CHECK_PROXY:
            read_proxy_header(check);
            break;
        case CHECK_ADDRESS:
            count_address(check);
            break;
        case CHECK_MAPPING:
            check_mapping(check);
            break;
        case CHECK_LIMIT:
            limit_address(check);
            break;
        case CHECK_LISTS:
            ask_lists(check);
            break;
        case CHECK_PASSED:
        case CHECK_REFUSED:
        case CHECK_GONE:
            finish(check);
            return;
        }
    check->has_waited = true;
    watch_hangup(check);
    if (check->request)
        checks_store_enter(check_access(check)->checks_store, &check->stored, check->connection);
}

/* Nothing is asked about the connections of such a service. */
static bool is_open(const struct service *service)
{
    const struct service_options *options = service->options;

    return !options->proxy_protocol && options->max_conns_per_address == 0 &&
           options->dns_verify_domains.n_items == 0 && !access_has_table(service->context->access);
}

void check_begin(struct connection *connection)
{
    struct service *service = connection->service;
    const struct refusal no_memory = {.reason = REJECTED_FOR_ERROR, .what = "out of memory"};

    if (is_open(service) && !connection->is_readmitted) {
        pass(connection, connection->accepted_at);
        return;
    }
    struct check *check = calloc(1, sizeof(*check));
    if (!check) {
        check_report_refused(connection, &no_memory);
        refusal_carry_out(connection, &no_memory);
        return;
    }
    check->connection = connection;
    TAILQ_INSERT_TAIL(&service->checks, check, link);
    if (connection->is_readmitted)
        checks_store_adopt(check_access(check)->checks_store, &check->stored, connection);
    advance(check);
}

void checks_leave(struct service *service)
{
    struct check *check = TAILQ_FIRST(&service->checks);

    while (check) {
        struct check *next = TAILQ_NEXT(check, link);
        struct connection *connection = check->connection;

        if (check->request &&
            checks_store_keep(check_access(check)->checks_store, &check->stored)) {
            free_check(check);
            connection_close(connection, time_now_usec(CLOCK_MONOTONIC));
        }
        check = next;
    }
}

void checks_close(struct service *service)
{
    struct check *check;

    while ((check = TAILQ_FIRST(&service->checks)))
        close_gone(check);
}
