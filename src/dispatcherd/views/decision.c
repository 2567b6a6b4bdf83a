/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What decided about a client, or would decide. */
#include "dispatcherd/checks/trial.h"
#include "dispatcherd/views/views.h"
#include "files/problem.h"

#include <stdio.h>

json_t *view_optional(const char *text)
{
    return view_text(text && text[0] ? text : NULL);
}

json_t *view_place(const char *file, uint32_t line)
{
    char place[4200];

    if (line == 0)
        return json_null();
    snprintf(place, sizeof(place), "%.4096s:%u", file, line);
    return view_text(place);
}

json_t *view_problems(const struct problem_list *problems)
{
    json_t *array = json_array();
    char text[1024];

    for (size_t i = 0; i < problems->n_items; i++)
        view_append(&array, view_text(problem_format(&problems->items[i], text, sizeof(text))));
    return array;
}

void view_put_trial(json_t **object, const struct trial *trial)
{
    const struct mapping_entry *entry = trial->entry;
    const char *reason = statistics_rejection_to_string(trial->reason);

    view_put(object, "verdict", json_string(trial->is_rejected ? "reject" : "accept"));
    view_put(object, "is_certain", json_boolean(trial->is_certain));
    view_put(object, "reason", view_optional(trial->is_rejected ? reason : NULL));
    view_put(object, "entry", entry ? view_place(entry->file, entry->line) : json_null());
    view_put(object, "pattern", view_optional(entry ? entry->text : NULL));
    view_put(object, "zone", view_optional(trial->zone));
    view_put(object, "detail", view_optional(trial->detail));
}
