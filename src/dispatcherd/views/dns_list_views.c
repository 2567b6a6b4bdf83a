/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/views/views.h"
#include "dns/dns_lists.h"

/* For a time of the real-time clock, which may have been set since. */
static json_t *view_real_time(uint64_t realtime, const struct control_clock *clock)
{
    uint64_t age = clock->realtime > realtime ? clock->realtime - realtime : 0;

    if (realtime == 0)
        return json_null();
    return view_time(clock->monotonic > age ? clock->monotonic - age : 1, clock);
}

static json_t *view_list(const struct dns_zone_figures *figures, const struct control_clock *clock)
{
    json_t *object = json_object();

    view_put(&object, "zone", view_text(figures->zone));
    view_put(&object, "is_set_aside", json_boolean(figures->is_set_aside));
    view_put(&object, "since", view_real_time(figures->since_usec, clock));
    view_put(&object, "reason", view_text(figures->is_set_aside ? figures->reason : NULL));
    view_put(&object, "lacks_test_entry", json_boolean(figures->lacks_test_entry));
    view_put(&object, "n_queries", view_count(figures->n_queries));
    view_put(&object, "n_listed", view_count(figures->n_listed));
    view_put(&object, "n_timed_out", view_count(figures->n_timed_out));
    view_put(&object, "n_failed", view_count(figures->n_failed));
    return object;
}

json_t *view_dns_lists(const struct dns_lists *lists, const struct control_clock *clock)
{
    const struct dns_zone *zone = NULL;
    struct dns_zone_figures figures;
    json_t *array = json_array();

    while (lists && (zone = dns_lists_next_zone(lists, zone, &figures)))
        view_append(&array, view_list(&figures, clock));
    return array;
}
