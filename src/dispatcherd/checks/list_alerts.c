/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/list_alerts.h"

#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"

#include <inttypes.h>
#include <string.h>

/* The list must work for at least as long as it is set aside. */
static const struct alert_rule rule = {.high = 1, .low = 0, .clear_usec = DNS_HEALTH_ILL_USEC};

/* The end of an alert may be reported this much late. */
#define ACCURACY_USEC USEC_PER_SEC

static struct list_alert *find(struct list_alerts *alerts, const char *zone)
{
    for (size_t i = 0; i < alerts->n_items; i++)
        if (strcmp(alerts->items[i].zone, zone) == 0)
            return &alerts->items[i];
    if (alerts->n_items == DNS_ZONES_MAX)
        return NULL;
    alerts->items[alerts->n_items].zone = zone;
    return &alerts->items[alerts->n_items++];
}

static void tell_raised(const struct list_alert *item)
{
    const struct subject subject = {.reason = item->reason, .message_id = MESSAGE_ID_DNS_LIST_ILL};

    report(LOG_WARNING, &subject,
           "DNS list %s is set aside, and rejects nobody: %s; check whether \"dig 2.0.0.127.%s\" "
           "finds an entry",
           item->zone, item->reason, item->zone);
}

static void tell_cleared(const struct list_alert *item, uint64_t now)
{
    const struct subject subject = {.message_id = MESSAGE_ID_DNS_LIST_WELL};

    report(LOG_NOTICE, &subject,
           "DNS list %s works again and is queried again; it was set aside %u %s within %" PRIu64
           " s",
           item->zone, item->n_times, str_plural(item->n_times, "time", "times"),
           alert_duration(&item->alert, now) / USEC_PER_SEC);
}

static void update(struct list_alert *item, uint64_t now)
{
    switch (alert_update(&item->alert, &rule, item->is_ill, now)) {
    case ALERT_RAISED:
        tell_raised(item);
        break;
    case ALERT_CLEARED:
        tell_cleared(item, now);
        item->n_times = 0;
        break;
    case ALERT_SAME:
        break;
    }
}

/* Sets the timer for the first list that is due, or turns it off if none is. */
static void set_timer(struct list_alerts *alerts)
{
    uint64_t next = USEC_INFINITY;

    for (size_t i = 0; i < alerts->n_items; i++) {
        uint64_t due = alert_due(&alerts->items[i].alert, &rule);

        if (due < next)
            next = due;
    }
    timer_set_at(&alerts->timer, next);
}

static void on_timer(void *userdata)
{
    struct list_alerts *alerts = userdata;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    for (size_t i = 0; i < alerts->n_items; i++)
        update(&alerts->items[i], now);
    set_timer(alerts);
    alerts->context->changed(alerts->context);
}

int list_alerts_init(struct list_alerts *alerts, struct context *context)
{
    alerts->context = context;
    return timer_init(&alerts->timer, context->event, ACCURACY_USEC, on_timer, alerts);
}

void list_alerts_note(struct list_alerts *alerts, const char *zone, bool is_well,
                      const char *reason)
{
    struct list_alert *item = find(alerts, zone);

    if (!item)
        return;
    item->is_ill = !is_well;
    item->n_times += !is_well;
    if (!is_well)
        item->reason = reason;
    update(item, time_now_usec(CLOCK_MONOTONIC));
    set_timer(alerts);
    alerts->context->changed(alerts->context);
}

void list_alerts_clear(struct list_alerts *alerts)
{
    timer_clear(&alerts->timer);
}
