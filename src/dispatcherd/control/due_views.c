/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The commands that are due, as JSON. */
#include "dispatcherd/control/views.h"
#include "dispatcherd/core/due.h"

json_t *view_due(const struct due_list *due)
{
    json_t *array = json_array();

    for (size_t i = 0; due && i < due->n_items; i++) {
        const struct due *item = &due->items[i];
        json_t *object = json_object();

        view_put(&object, "service", view_text(item->service));
        view_put(&object, "text", view_text(item->text));
        view_put(&object, "command", view_text(item->command));
        view_append(&array, object);
    }
    return array;
}

json_t *view_due_command(const struct due_list *due)
{
    char command[DUE_COMMAND_MAX];

    return view_text(due ? due_command(due, command) : "");
}
