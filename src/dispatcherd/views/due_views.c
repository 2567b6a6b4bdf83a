/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The commands that are due, as JSON. */
#include "dispatcherd/config/due.h"
#include "dispatcherd/views/views.h"

json_t *view_due(const struct due_list *due)
{
    json_t *array = json_array();

    for (size_t i = 0; due && i < due->n_items; i++) {
        const struct due *item = &due->items[i];
        json_t *object = json_object();

        view_put(&object, "service", view_text(item->service));
        view_put(&object, "text", view_text(item->text));
        view_put(&object, "command", json_string(due_command_of(item->kinds)));
        view_put(&object, "needs_restart", json_boolean(item->kinds & DUE_RESTART));
        view_append(&array, object);
    }
    return array;
}

json_t *view_due_command(const struct due_list *due)
{
    return json_string(due ? due_command(due) : "");
}
