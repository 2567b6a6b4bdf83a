/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/check.h"

#include "base/time.h"
#include "dispatcherd/checks/check_internal.h"
#include "dispatcherd/checks/check_report.h"
#include "dispatcherd/checks/hangup.h"
#include "dispatcherd/checks/identity.h"
#include "dispatcherd/core/completion.h"
#include "dispatcherd/core/worker.h"
#include "dns/dns_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void advance(struct check *check);

static void check_answered(struct check *check)
{
    check->is_waiting = false;
    check->hangup_source = sd_event_source_disable_unref(check->hangup_source);
    advance(check);
}

/* The PROXY header */

/* tcp(7), ip(7): the peer, or the way to it, is gone. */
static bool is_end_of_connection(int error)
{
    return error == ECONNRESET || error == EPIPE || error == ETIMEDOUT || error == EHOSTUNREACH ||
           error == ENETUNREACH;
}

static void on_proxy_header(struct proxy_reader *reader, const struct proxy_result *result,
                            void *userdata)
{
    struct check *check = userdata;
    struct connection *connection = check->connection;

    switch (result->outcome) {
    case PROXY_READ:
        if (result->is_proxied)
            connection_set_ends(connection, &result->peer, &result->local, connection->is_tls);
        check->stage = CHECK_ADDRESS;
        break;
    case PROXY_CLOSED:
        check->stage = CHECK_GONE;
        break;
    case PROXY_FAILED:
        if (is_end_of_connection(-result->error))
            check->stage = CHECK_GONE;
        else
            check_reject(check, REJECTED_FOR_ERROR, strerror(-result->error));
        break;
    case PROXY_INVALID:
    case PROXY_TIMED_OUT:
        check_reject(check, REJECTED_FOR_PROXY_HEADER, result->fault);
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
        check_reject(check, REJECTED_FOR_PROXY_HEADER, "the client is not in PROXY_UPSTREAMS");
        return;
    }
    int r = proxy_reader_start(connection->service->context->event, connection->fd,
                               PROXY_READER_LIMIT_USEC, on_proxy_header, check, &check->proxy);
    if (r < 0)
        check_reject(check, REJECTED_FOR_ERROR, strerror(-r));
    else
        check->is_waiting = true;
}

/* How many connections the address has */

static void count_address(struct check *check)
{
    connection_count(check->connection, &check->n_of_address, &check->n_of_network);
    check->stage = CHECK_MAPPING;
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
    check_reject(check, REJECTED_BY_DNS_LIST, NULL);
    check->end.list = *answer;
    check->end.text = dns_list_rejection(check->connection->local.port);
    check->end.text_length = strlen(check->end.text);
}

static void on_lists_answer(_unused_ struct dns_request *request,
                            const struct dns_lists_answer *answer, void *userdata)
{
    struct check *check = userdata;

    check->request = NULL;
    take_lists_answer(check, answer);
    check_answered(check);
}

/* Errors here admit the client: a DNS list that cannot be asked must not stop the mail. */
static void ask_lists(struct check *check)
{
    const struct str_list *zones = &check_options(check)->dns_verify_domains;
    const struct dns_lists_question question = {
        .client = &check->connection->peer,
        .zones = (const char *const *)zones->items,
        .n_zones = zones->n_items,
        .wants_text = reject_is_logged(check->connection),
        .account = &check->connection->service->dns_account,
    };
    struct dns_lists_answer answer = {0};
    int r = 1;

    if (zones->n_items > 0)
        r = dns_lists_ask(admission_lists(check_admission(check)), &question, on_lists_answer,
                          check, &check->request, &answer);
    if (r == 0)
        check->is_waiting = true;
    else
        take_lists_answer(check, &answer);
}

/* The end */

/* Nothing is asked for it any more; what was found stays. */
static void end_check(struct check *check)
{
    connection_store_leave(check->connection);
    TAILQ_REMOVE(&check->connection->service->checks, check, link);
    sd_event_source_disable_unref(check->hangup_source);
    proxy_reader_free(check->proxy);
    dns_request_cancel(check->request);
    fleet_wait_cancel(&check->throttle_wait);
}

/* The admission is passed: the connection may be gone. */
static void free_check(struct check *check, struct admission *admission)
{
    if (check->run)
        admission_return_run(admission, check->run);
    mapping_set_unref(check->mappings);
    free(check);
}

/* It was still stored as one that is checked: the predecessor died before the service manager took
 * the message that a worker had it. If the worker has said so by now, the connection is neither
 * rejected nor served twice, nor does it end twice. */
static bool is_with_a_worker(const struct connection *connection)
{
    const struct service *service = connection->service;

    for (unsigned slot = 0; connection->is_readmitted && slot < service->pool->n_slots; slot++)
        if (service->workers[slot] && worker_find(service->workers[slot], connection->id))
            return true;
    return false;
}

static void end_gone(struct connection *connection, uint64_t now)
{
    if (is_with_a_worker(connection))
        connection_close(connection, now);
    else
        completion_end(connection, HISTORY_GONE, now);
}

static void close_gone(struct check *check)
{
    struct admission *admission = check_admission(check);

    end_check(check);
    end_gone(check->connection, time_now_usec(CLOCK_MONOTONIC));
    free_check(check, admission);
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

/* A client that goes away while a server is asked about it needs no place any more. */
static void watch_hangup(struct check *check)
{
    if (!check->proxy)
        hangup_watch(&check->hangup_source, check->connection, on_hangup, check);
}

static void pass(struct connection *connection, uint64_t now)
{
    rejection_run_end(&connection->service->rejections);
    identity_ask(connection);
    connection_wait(connection, now);
}

static void finish(struct check *check)
{
    struct connection *connection = check->connection;
    struct service *service = connection->service;
    struct admission *admission = check_admission(check);
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    end_check(check);
    check->end.at = now;
    if (check->stage == CHECK_GONE) {
        end_gone(connection, now);
    } else if (is_with_a_worker(connection)) {
        connection_close(connection, now);
    } else if (check->stage == CHECK_REJECTED) {
        reject_connection(connection, &check->end);
    } else {
        check_report_passed(connection, check->entry, now);
        pass(connection, now);
    }
    /* If it did not wait, the caller looks at the pool next. */
    if (check->has_waited)
        service_touch(service);
    free_check(check, admission);
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
        case CHECK_REJECTED:
        case CHECK_GONE:
            finish(check);
            return;
        }
    check->has_waited = true;
    watch_hangup(check);
    if (check->request)
        connection_store_enter(check->connection, STORED_CHECK);
}

/* Whether connections of the service are admitted without any check. */
static bool is_open(const struct service *service)
{
    const struct service_options *options = service->options;

    return !options->proxy_protocol && options->max_conns_per_address == 0 &&
           options->dns_verify_domains.n_items == 0 &&
           !admission_has_table(service->context->admission);
}

void check_begin(struct connection *connection)
{
    struct service *service = connection->service;
    const struct connection_end no_memory = {.how = HISTORY_REJECTED,
                                             .at = connection->accepted_at,
                                             .reason = REJECTED_FOR_ERROR,
                                             .what = "out of memory"};

    if (is_open(service) && !connection->is_readmitted) {
        pass(connection, connection->accepted_at);
        return;
    }
    if (connection->is_readmitted)
        connection_store_adopt(connection, STORED_CHECK);
    struct check *check = calloc(1, sizeof(*check));
    if (!check) {
        reject_connection(connection, &no_memory);
        return;
    }
    check->connection = connection;
    check->answered = check_answered;
    TAILQ_INSERT_TAIL(&service->checks, check, link);
    advance(check);
}

void checks_leave(struct service *service)
{
    struct check *check = TAILQ_FIRST(&service->checks);

    while (check) {
        struct check *next = TAILQ_NEXT(check, link);

        fleet_wait_give_up(&check->throttle_wait);
        check = next;
    }
    for (check = TAILQ_FIRST(&service->checks); check;) {
        struct check *next = TAILQ_NEXT(check, link);
        struct connection *connection = check->connection;

        if (check->request && connection_store_keep(connection)) {
            end_check(check);
            connection_close(connection, time_now_usec(CLOCK_MONOTONIC));
            free_check(check, service->context->admission);
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
