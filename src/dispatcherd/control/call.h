/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A call while it is answered by a method in the table of control/methods.c. Private to this
 * folder. */
#pragma once

#include "dispatcherd/control/methods.h"
#include "dispatcherd/views/views.h"
#include "varlink/message.h"

#include <jansson.h>

#define CONTROL_INTERFACE "io.dispatcherd.Control"

struct control_call {
    const struct control_operations *operations;
    void *userdata;
    const struct control_caller *caller;
    struct control_daemon daemon;
    struct control_clock clock;
    struct follower *follower; /* NULL: the caller cannot follow */
    json_t *parameters;        /* borrowed; checked against the method's row; NULL: none */
};

/* A method returns its whole reply (varlink_reply(), varlink_error()), or NULL when out of
 * memory. */
typedef json_t *(*control_function)(const struct control_call *call);

/* The parameter as text; NULL if it is missing. */
const char *control_call_text(const struct control_call *call, const char *name);

json_t *control_no_such_service(const char *name);

/* control/lists.c */
json_t *control_workers(const struct control_call *call);
json_t *control_connections(const struct control_call *call);
json_t *control_ended_connections(const struct control_call *call);
json_t *control_ended_workers(const struct control_call *call);

/* control/throttles.c */
json_t *control_throttles(const struct control_call *call);

/* control/commands.c */
json_t *control_stop(const struct control_call *call);
json_t *control_start(const struct control_call *call);
json_t *control_restart(const struct control_call *call);
json_t *control_reload(const struct control_call *call);
json_t *control_plan(const struct control_call *call);
json_t *control_worker_ended(const struct control_call *call);
json_t *control_set_debug(const struct control_call *call);

/* control/explain.c */
json_t *control_explain(const struct control_call *call);

/* control/follow.c */
json_t *control_follow(const struct control_call *call);
