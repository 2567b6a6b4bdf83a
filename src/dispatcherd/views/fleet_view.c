/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The store of a fleet's limits, as JSON. */
#include "dispatcherd/fleet/fleet.h"
#include "dispatcherd/views/views.h"

json_t *view_fleet(const struct fleet *fleet, const struct control_clock *clock)
{
    struct fleet_figures figures;

    if (!fleet)
        return json_null();
    json_t *object = json_object();
    fleet_figures(fleet, clock->monotonic, &figures);
    view_put(&object, "name", view_text(figures.name));
    view_put(&object, "store", view_text(figures.store));
    view_put(&object, "is_up", json_boolean(figures.is_up));
    view_put(&object, "since", view_time(figures.since, clock));
    view_put(&object, "reason", view_optional(figures.is_up ? NULL : figures.reason));
    view_put(&object, "answered_at", view_time(figures.answered_at, clock));
    view_put(&object, "wait_limit_usec", view_count(figures.wait_usec));
    view_put(&object, "has_addresses", json_boolean(figures.has_addresses));
    view_put(&object, "n_owed", view_count(figures.n_owed));
    view_put(&object, "n_left_out", view_count(figures.n_left_out));
    view_put(&object, "n_addresses", view_count(figures.n_addresses));
    view_put(&object, "n_waits", view_count(figures.n_waits));
    view_put(&object, "n_waits_in_vain", view_count(figures.n_waits_in_vain));
    view_put(&object, "n_answers", view_count(figures.link.n_answers));
    view_put(&object, "n_late", view_count(figures.link.n_late));
    view_put(&object, "n_failures", view_count(figures.link.n_failures));
    view_put(&object, "down_usec", view_count(figures.link.down_usec));
    view_put(&object, "n_bytes_sent", view_count(figures.link.n_bytes_sent));
    view_put(&object, "n_bytes_received", view_count(figures.link.n_bytes_received));
    return object;
}
