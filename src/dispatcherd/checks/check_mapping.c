/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/concurrency.h"
#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/checks/check_internal.h"
#include "dispatcherd/checks/check_report.h"
#include "mapping/port_access.h"

#include <inttypes.h>
#include <stdio.h>

static void resume(struct check *check, bool succeeded, const char *text)
{
    if (succeeded)
        check->cause = reject_cause(check->run->callout.routine);
    mapping_run_resume(check->run, succeeded, text);
}

static void take_list_answer(struct check *check, const struct dns_lists_answer *answer)
{
    if (answer->is_listed) {
        check->end.list = *answer;
        check->end.list.text = NULL;
        if (answer->text) {
            snprintf(check->list_text, sizeof(check->list_text), "%s", answer->text);
            check->end.list.text = check->list_text;
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
    check->answered(check);
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

    int r = dns_lists_ask(admission_lists(check_admission(check)), &question, on_callout_answer,
                          check, &check->request, &answer);
    if (r == 0)
        check->is_waiting = true;
    else
        take_list_answer(check, r > 0 ? &answer : &(struct dns_lists_answer){0});
}

/* For dispatcherctl explain. */
static void describe_counts(struct check *check, const struct throttle_view *view, uint64_t now)
{
    uint64_t began_at = check->throttle_wait.began_at;
    uint32_t window_sec = check->run->callout.window_sec;
    struct str_buffer text = str_buffer_init(check->throttle_text, sizeof(check->throttle_text));

    str_buffer_add(&text, "%u %s in ", view->own + view->others,
                   str_plural(view->own + view->others, "connection", "connections"));
    if (window_sec > 0)
        str_buffer_add(&text, "these %u s: %u here", window_sec, view->own);
    else
        str_buffer_add(&text, "this minute: %u here", view->own);
    if (view->others_at == 0)
        str_buffer_add(&text, ", not known how many at the other hosts");
    else
        str_buffer_add(&text, ", %u at the other hosts, known %" PRIu64 " ms ago", view->others,
                       (now - view->others_at) / USEC_PER_MSEC);
    if (began_at > 0)
        str_buffer_add(&text, ", after a wait of %" PRIu64 " ms", (now - began_at) / USEC_PER_MSEC);
}

static void on_counts(struct fleet_wait *wait, const struct throttle_view *view)
{
    struct check *check = CONTAINER_OF(wait, struct check, throttle_wait);
    bool is_over = (uint64_t)view->own + view->others > check->run->callout.limit;

    if (is_over)
        describe_counts(check, view, time_now_usec(CLOCK_MONOTONIC));
    resume(check, is_over, NULL);
    check->answered(check);
}

static void count(struct check *check, enum throttle_kind kind)
{
    struct admission *admission = check_admission(check);
    const struct callout *callout = &check->run->callout;
    const struct throttle_key key = {
        .max_rate = callout->limit, .kind = kind, .window_sec = callout->window_sec};
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    struct throttle_view view;
    bool is_over = throttle_count_key(admission->throttle, &key, &callout->address, now, &view);

    check->throttle_text[0] = '\0';
    check->throttle_wait = (struct fleet_wait){.decided = on_counts};
    if (admission->fleet && view.number > 0) {
        check->is_waiting = fleet_note_and_wait(admission->fleet, &view, &check->throttle_wait);
        if (check->is_waiting)
            return;
        if (is_over)
            describe_counts(check, &view, now);
    }
    resume(check, is_over, NULL);
}

static void answer_callout(struct check *check)
{
    const struct callout *callout = &check->run->callout;
    bool is_over;

    switch (callout->routine) {
    case CALLOUT_THROTTLE:
        count(check, THROTTLE_PLAIN);
        break;
    case CALLOUT_THROTTLE_PENALTY:
        count(check, THROTTLE_PENALTY);
        break;
    case CALLOUT_CONCURRENT:
        is_over = concurrency_lookup(check->connection->service->addresses.hosts,
                                     &callout->address) > callout->limit;
        resume(check, is_over, NULL);
        break;
    case CALLOUT_DNS_LIST:
        /* A single address must not take all places of connections that wait for answers. */
        if (!check_limits(check))
            ask_list(check);
        break;
    }
}

/* Acts on the result of the run. The texts that a rejection points to are valid until the next
 * verdict. */
static void judge(struct check *check)
{
    static struct port_access verdict;

    port_access_judge(check->run, &verdict);
    if (verdict.has_hit_limit)
        check_report_limit(check->connection);
    check_report_notes(check->connection, &verdict, check->cause);
    check->entry = verdict.entry;
    if (verdict.is_rejected) {
        check_reject(check, check->cause,
                     check->cause == REJECTED_BY_THROTTLE && check->throttle_text[0]
                         ? check->throttle_text
                         : NULL);
        if (check->cause != REJECTED_BY_DNS_LIST)
            check->end.list = (struct dns_lists_answer){0};
        check->end.entry = verdict.entry;
        check->end.text = verdict.reply;
        check->end.text_length = verdict.reply_length;
        return;
    }
    connection_set_texts(check->connection, verdict.tag, verdict.log_text);
    check->is_permitted = verdict.is_permitted;
    check->stage = CHECK_LIMIT;
}

/* Returns false if there is no table, or nothing to look up in it. */
static bool begin_run(struct check *check)
{
    const struct connection *connection = check->connection;
    struct admission *admission = check_admission(check);
    char probe[PORT_ACCESS_PROBE_MAX];

    if (!admission_has_table(admission) ||
        port_access_probe(&connection->local, &connection->peer, probe) < 0)
        return false;
    check->run = admission_take_run(admission);
    if (!check->run) {
        check_reject(check, REJECTED_FOR_ERROR, "out of memory");
        return true;
    }
    check->mappings = mapping_set_ref(admission->mappings);
    check->cause = REJECTED_BY_MAPPING;
    mapping_run_start(check->run, check->mappings, MAPPING_PORT_ACCESS, probe,
                      PORT_ACCESS_INPUT_FLAGS, &admission_hooks);
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
