/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "varlink/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Room for the first piece: most messages are longer. */
#define TEXT_FIRST_BYTES 512

static json_t *parse_object(const char *text, size_t length)
{
    json_t *message = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);

    if (json_is_object(message))
        return message;
    json_decref(message);
    return NULL;
}

/* A flag that is missing or null is false. */
static int get_flag(const json_t *message, const char *name, bool *ret)
{
    const json_t *value = json_object_get(message, name);

    if (value && !json_is_boolean(value) && !json_is_null(value))
        return -EBADMSG;
    *ret = json_is_true(value);
    return 0;
}

int varlink_call_parse(const char *text, size_t length, struct varlink_call *ret)
{
    json_auto_t *message = parse_object(text, length);
    struct varlink_call call = {
        .method = json_string_value(json_object_get(message, "method")),
        .parameters = json_object_get(message, "parameters"),
    };

    if (json_is_null(call.parameters))
        call.parameters = NULL;
    if (!call.method || (call.parameters && !json_is_object(call.parameters)) ||
        get_flag(message, "oneway", &call.is_oneway) < 0 ||
        get_flag(message, "more", &call.wants_more) < 0 ||
        get_flag(message, "upgrade", &call.wants_upgrade) < 0)
        return -EBADMSG;
    call.message = json_incref(message);
    *ret = call;
    return 0;
}

void varlink_call_clear(struct varlink_call *call)
{
    json_decref(call->message);
    *call = (struct varlink_call){0};
}

/* json_pack() takes over the object even if it fails. */
json_t *varlink_method(const char *method, json_t *parameters)
{
    return parameters ? json_pack("{s:s, s:o}", "method", method, "parameters", parameters) : NULL;
}

json_t *varlink_reply(json_t *parameters)
{
    return parameters ? json_pack("{s:o}", "parameters", parameters) : NULL;
}

json_t *varlink_reply_of_many(json_t *parameters)
{
    return parameters ? json_pack("{s:o, s:b}", "parameters", parameters, "continues", 1) : NULL;
}

json_t *varlink_error(const char *name, json_t *parameters)
{
    return parameters ? json_pack("{s:s, s:o}", "error", name, "parameters", parameters) : NULL;
}

struct text {
    char *bytes;
    size_t size, capacity;
    bool is_short; /* memory was short; jansson does not check every result of append() */
};

static int append(const char *bytes, size_t size, void *data)
{
    struct text *text = data;

    if (size > text->capacity - text->size) {
        size_t capacity = 2 * text->capacity + size + TEXT_FIRST_BYTES;
        char *grown = text->is_short ? NULL : realloc(text->bytes, capacity);

        if (!grown) {
            text->is_short = true;
            return -1;
        }
        text->bytes = grown;
        text->capacity = capacity;
    }
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    return 0;
}

char *varlink_message_text(const json_t *message, size_t *ret_size)
{
    struct text text = {0};

    /* json_dumps() would allocate by jansson's allocator: see memory.h. */
    if (json_dump_callback(message, append, &text, JSON_COMPACT) < 0 || append("", 1, &text) < 0 ||
        text.is_short) {
        free(text.bytes);
        return NULL;
    }
    *ret_size = text.size;
    return text.bytes;
}

int varlink_reply_parse(const char *text, size_t length, json_t **ret)
{
    json_auto_t *message = parse_object(text, length);
    const json_t *error = json_object_get(message, "error");
    const json_t *parameters = json_object_get(message, "parameters");

    if (!message || (error && !json_is_string(error)) ||
        (parameters && !json_is_object(parameters)))
        return -EBADMSG;
    if (!parameters && json_object_set_new(message, "parameters", json_object()) < 0)
        return -ENOMEM;
    *ret = json_incref(message);
    return 0;
}
