/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/report/bulk.h"

#include "base/log_limit.h"
#include "base/time.h"
#include "base/timer.h"
#include "dispatcherd/report/message_ids.h"

#include <stdio.h>

/* journald accepts 10,000 lines of a unit in 30 s, at notice and info together, and drops all
 * others, even important ones (RateLimitBurst= in journald.conf(5)). In that time these limits
 * allow 800 + 800 + 8,000 lines. */
static struct {
    struct timer timer;
    struct log_limit limits[N_BULK_KINDS];
} bulk = {
    .limits =
        {
            [BULK_REJECTIONS] = LOG_LIMIT_INIT(500, 10),
            [BULK_NOTES] = LOG_LIMIT_INIT(500, 10),
            [BULK_DEBUG] = LOG_LIMIT_INIT(5000, 100),
        },
};

static const char *const kind_names[N_BULK_KINDS] = {
    [BULK_REJECTIONS] = "rejected clients",
    [BULK_NOTES] = "notes of PORT_ACCESS",
    [BULK_DEBUG] = "DEBUG",
};

static void sum_up(enum bulk_kind kind, uint64_t now)
{
    const struct subject subject = {.message_id = MESSAGE_ID_LINES_LEFT_OUT};
    char text[TALLY_TEXT_BYTES + 64];

    if (log_limit_sum_up(&bulk.limits[kind], now, text))
        report(LOG_NOTICE, &subject, "%s: %s", kind_names[kind], text);
}

static void sum_up_due(uint64_t now)
{
    for (int kind = 0; kind < N_BULK_KINDS; kind++)
        if (now >= log_limit_due_at(&bulk.limits[kind]))
            sum_up((enum bulk_kind)kind, now);
}

static void set_timer(void)
{
    uint64_t at = USEC_INFINITY;

    for (int kind = 0; kind < N_BULK_KINDS; kind++)
        if (log_limit_due_at(&bulk.limits[kind]) < at)
            at = log_limit_due_at(&bulk.limits[kind]);
    timer_set_at(&bulk.timer, at);
}

static void on_due(_unused_ void *userdata)
{
    sum_up_due(time_now_usec(CLOCK_MONOTONIC));
    set_timer();
}

int bulk_start(sd_event *event)
{
    return timer_init(&bulk.timer, event, USEC_PER_SEC, on_due, NULL);
}

void bulk_end(void)
{
    timer_clear(&bulk.timer);
    for (int kind = 0; kind < N_BULK_KINDS; kind++)
        sum_up((enum bulk_kind)kind, time_now_usec(CLOCK_MONOTONIC));
}

/* The name under which a line that is left out is counted: its service and its reason. */
static void name_line(enum bulk_kind kind, const struct subject *subject,
                      char name[TALLY_NAME_BYTES])
{
    const char *service = subject->service ? subject->service : "dispatcherd";
    char host[ADDRESS_TEXT_MAX];

    if (kind == BULK_DEBUG)
        snprintf(name, TALLY_NAME_BYTES, "of bit %d (%s)", __builtin_ctz(subject->debug_bit),
                 service);
    else
        snprintf(name, TALLY_NAME_BYTES, "of %s (%s%s%s)",
                 subject->client ? address_format_host(subject->client, host) : "?", service,
                 subject->reason ? ", " : "", subject->reason ? subject->reason : "");
}

bool bulk_take(enum bulk_kind kind, const struct subject *subject)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    char name[TALLY_NAME_BYTES];

    name_line(kind, subject, name);
    bool is_taken = log_limit_take(&bulk.limits[kind], now, log_has_room_for_bulk(), name);
    if (!timer_is_made(&bulk.timer))
        sum_up_due(now);
    else if (!is_taken)
        set_timer();
    return is_taken;
}
