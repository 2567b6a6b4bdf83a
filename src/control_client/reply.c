/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "control_client/reply.h"

const char *reply_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

int64_t reply_number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

bool reply_is_true(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

bool reply_is_set(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return value && !json_is_null(value);
}

uint64_t reply_moment(const json_t *object, const char *name)
{
    int64_t moment = reply_number(json_object_get(object, name), "monotonic");

    return moment > 0 ? (uint64_t)moment : 0;
}
