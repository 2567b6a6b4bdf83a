/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/concurrency.h"
#include "base/time.h"
#include "dispatcherd/checks/check_internal.h"
#include "dispatcherd/checks/check_report.h"
#include "mapping/port_access.h"

#include <stdio.h>

static void resume(struct check *check, bool succeeded, const char *text)
{
    if (succeeded)
        check->cause = refusal_cause(check->run->callout.routine);
    mapping_run_resume(check->run, succeeded, text);
}

static void take_list_answer(struct check *check, const struct dns_lists_answer *answer)
{
    if (answer->is_listed) {
        check->refusal.list = *answer;
        check->refusal.list.text = NULL;
        if (answer->text) {
            snprintf(check->list_text, sizeof(check->list_text), "%s", answer->text);
            check->refusal.list.text = check->list_text;
        }
    }
    resume(check, answer->is_listed, answer->text);
}

static void on_callout_answer(_unused_ struct dns_request *request,
                              const struct dns_lists_answer *answer, void *userdata)
{
    struct check *check = userdata;

    check->request = NULL;
    take_list_answer(check, answer);
    check_answered(check);
}

static void ask_list(struct check *check)
{
    const struct callout *callout = &check->run->callout;
    const char *const zones[] = {callout->zone};
    const struct dns_lists_question question = {
        .client = &callout->address,
        .zones = zones,
        .n_zones = ELEMENTSOF(zones),
        .wants_text = true,
        .account = &check->connection->service->dns_account,
    };
    struct dns_lists_answer answer = {0};

    int r = dns_lists_ask(access_lists(check_access(check)), &question, on_callout_answer, check,
                          &check->request, &answer);
    if (r == 0)
        check->is_waiting = true;
    else
        take_list_answer(check, r > 0 ? &answer : &(struct dns_lists_answer){0});
}

static void answer_callout(struct check *check)
{
    struct access *access = check_access(check);
    const struct callout *callout = &check->run->callout;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    const struct address *address = &callout->address;
    bool is_over;

    switch (callout->routine) {
    case CALLOUT_THROTTLE:
        is_over = throttle_is_over(access->throttle, THROTTLE_PLAIN, address, callout->limit, now);
        resume(check, is_over, NULL);
        break;
    case CALLOUT_THROTTLE_PENALTY:
        is_over =
            throttle_is_over(access->throttle, THROTTLE_PENALTY, address, callout->limit, now);
        resume(check, is_over, NULL);
        break;
    case CALLOUT_CONCURRENT:
        is_over =
            concurrency_lookup(check->connection->service->addresses, address) > callout->limit;
        resume(check, is_over, NULL);
        break;
    case CALLOUT_DNS_LIST:
        /* One address alone must not fill the places of connections that wait for an answer. */
        if (!check_limits(check))
            ask_list(check);
        break;
    }
}

/* What the run has come to. The texts that a refusal points to are good until the next verdict. */
static void judge(struct check *check)
{
    static struct port_access verdict;

    port_access_judge(check->run, &verdict);
    if (verdict.has_hit_limit)
        check_report_limit(check->connection);
    check_report_notes(check->connection, &verdict, check->cause);
    check->entry = verdict.entry;
    if (verdict.is_rejected) {
        check_refuse(check, check->cause, NULL);
        if (check->cause != REJECTED_BY_DNS_LIST)
            check->refusal.list = (struct dns_lists_answer){0};
        check->refusal.entry = verdict.entry;
        check->refusal.text = verdict.reply;
        check->refusal.text_length = verdict.reply_length;
        return;
    }
    connection_set_texts(check->connection, verdict.tag, verdict.log_text);
    check->is_permitted = verdict.is_permitted;
    check->stage = CHECK_LIMIT;
}

/* False if there is no table, or nothing that it could be asked. */
static bool begin_run(struct check *check)
{
    const struct connection *connection = check->connection;
    struct access *access = check_access(check);
    char probe[PORT_ACCESS_PROBE_MAX];

    if (!access_has_table(access) ||
        port_access_probe(&connection->local, &connection->peer, probe) < 0)
        return false;
    check->run = access_take_run(access);
    if (!check->run) {
        check_refuse(check, REJECTED_FOR_ERROR, "out of memory");
        return true;
    }
    check->mappings = mapping_set_ref(access->mappings);
    check->cause = REJECTED_BY_MAPPING;
    mapping_run_start(check->run, check->mappings, MAPPING_PORT_ACCESS, probe,
                      PORT_ACCESS_INPUT_FLAGS, &access_hooks);
    return true;
}

void check_mapping(struct check *check)
{
    if (!check->run && !begin_run(check)) {
        check->stage = CHECK_LIMIT;
        return;
    }
    while (check->stage == CHECK_MAPPING && !check->is_waiting) {
        if (mapping_run_step(check->run) == MAPPING_CALLOUT)
            answer_callout(check);
        else
            judge(check);
    }
}
