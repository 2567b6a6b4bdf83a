/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Calls, replies and errors of Varlink (https://varlink.org) as JSON. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Errors that every Varlink service has. */
#define VARLINK_INTERFACE_NOT_FOUND "org.varlink.service.InterfaceNotFound"
#define VARLINK_METHOD_NOT_FOUND    "org.varlink.service.MethodNotFound"
#define VARLINK_INVALID_PARAMETER   "org.varlink.service.InvalidParameter"

struct varlink_call {
    json_t *message;    /* owned; the rest points into it */
    const char *method; /* INTERFACE.METHOD */
    json_t *parameters; /* an object; NULL: none */
    bool is_oneway;     /* no reply is wanted */
    bool wants_more;    /* several replies are accepted */
    bool wants_upgrade; /* another protocol after the reply */
};

/* Reads a call. Returns 0, or -EBADMSG if the text is no call. */
int varlink_call_parse(const char *text, size_t length, struct varlink_call *ret);

void varlink_call_clear(struct varlink_call *call);

/* Each makes the object to be sent, and takes over the parameters, even if it fails. Each returns
 * NULL when out of memory, or if `parameters` is NULL because they could not be made. */
json_t *varlink_method(const char *method, json_t *parameters);
json_t *varlink_reply(json_t *parameters);
/* One of several replies, with others to follow. */
json_t *varlink_reply_of_many(json_t *parameters);
json_t *varlink_error(const char *name, json_t *parameters);

/* The message as it is sent; *ret_size includes its NUL. The caller frees it. Returns NULL when out
 * of memory. */
char *varlink_message_text(const json_t *message, size_t *ret_size);

/* Reads a reply or an error. Returns 0 and the whole object, which has an object "parameters" and,
 * for an error, a string "error"; or -EBADMSG. */
int varlink_reply_parse(const char *text, size_t length, json_t **ret);
