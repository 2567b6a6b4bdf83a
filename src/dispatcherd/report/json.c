/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/report/json.h"

#include "base/time.h"

#include <stdlib.h>
#include <string.h>

struct control_clock control_clock_now(void)
{
    return (struct control_clock){
        .monotonic = time_now_usec(CLOCK_MONOTONIC),
        .realtime = time_now_usec(CLOCK_REALTIME),
    };
}

void view_put(json_t **object, const char *name, json_t *value)
{
    if (json_object_set_new_nocheck(*object, name, value) == 0)
        return;
    json_decref(*object);
    *object = NULL;
}

void view_append(json_t **array, json_t *value)
{
    if (json_array_append_new(*array, value) == 0)
        return;
    json_decref(*array);
    *array = NULL;
}

json_t *view_time(uint64_t at, const struct control_clock *clock)
{
    if (at == 0)
        return json_null();
    json_t *object = json_object();
    view_put(&object, "realtime", view_count(clock->realtime - (clock->monotonic - at)));
    view_put(&object, "monotonic", view_count(at));
    return object;
}

json_t *view_text(const char *text)
{
    if (!text)
        return json_null();
    json_t *value = json_string(text);
    if (value)
        return value;
    char *ascii = strdup(text);
    if (!ascii)
        return NULL;
    for (char *c = ascii; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    value = json_string(ascii);
    free(ascii);
    return value;
}

json_t *view_count(uint64_t count)
{
    return json_integer((json_int_t)count);
}

json_t *view_address(const struct address *address)
{
    char host[ADDRESS_TEXT_MAX];
    json_t *object = json_object();

    view_put(&object, "address", json_string_nocheck(address_format_host(address, host)));
    view_put(&object, "port", json_integer(address->port));
    return object;
}

json_t *view_gauge(uint64_t value, uint64_t limit)
{
    return json_pack("{s:I, s:I}", "value", (json_int_t)value, "limit", (json_int_t)limit);
}
