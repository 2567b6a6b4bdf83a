/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The method that lists the sources that have reached a limit of the throttle. */
#include "access/throttle_full.h"
#include "base/time.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/control/call.h"

/* As many as a part of the other lists has (control/lists.c). */
#define ROWS_MAX 100

static json_t *throttle_view_of(const struct throttle_row *row, const struct control_clock *clock)
{
    const struct throttle_key *key = &row->key;
    json_t *object = json_object();
    char source[SOURCE_TEXT_MAX];

    view_put(&object, "source", json_string(source_format(&key->source, source)));
    view_put(&object, "max_rate", view_count(key->max_rate));
    view_put(&object, "window_sec", view_count(throttle_window_usec(key) / USEC_PER_SEC));
    view_put(&object, "is_penalty", json_boolean(key->kind == THROTTLE_PENALTY));
    view_put(&object, "window_at", view_time(row->view.window_at, clock));
    view_put(&object, "own", view_count(row->view.own));
    view_put(&object, "others", view_count(row->view.others));
    view_put(&object, "others_at", view_time(row->view.others_at, clock));
    return object;
}

json_t *control_throttles(const struct control_call *call)
{
    const struct admission *admission = call->daemon.admission;
    struct throttle_row rows[ROWS_MAX];
    json_t *list = json_array(), *object = json_object();
    size_t n = 0, n_full = 0;

    if (admission)
        n_full = throttle_full(admission->throttle, call->clock.monotonic, rows, ROWS_MAX, &n);
    for (size_t i = 0; i < n; i++)
        view_append(&list, throttle_view_of(&rows[i], &call->clock));
    view_put(&object, "now", view_time(call->clock.monotonic, &call->clock));
    view_put(&object, "n_throttled", view_count(n_full));
    view_put(&object, "throttles", list);
    return varlink_reply(object);
}
