/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The methods of io.dispatcherd.Control: one table of names, permissions and functions. A call
 * comes in as text, its reply goes out as text; sockets are control.c's business. */
#pragma once

#include "dispatcherd/core/service.h"
#include "files/problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct access;
struct control_cache;
struct due_list;

/* The daemon as it is while one call is answered. Everything is borrowed. */
struct control_daemon {
    const char *state; /* "starting", "running", "stopping", "leaving" */
    bool is_stopping;  /* or leaving: nothing is started any more */
    bool is_on_last_config;
    uint32_t debug; /* its own mask */
    const char *config_file;
    uint64_t started_at; /* CLOCK_MONOTONIC, in microseconds */
    const char *spawner;
    struct service *const *services;
    size_t n_services;
    const struct access *access; /* NULL: none */
    const struct due_list *due;  /* NULL: nothing */
};

/* What the daemon as a whole can do. */
struct control_operations {
    void (*describe)(void *userdata, struct control_daemon *ret);

    /* Reads the configuration again. Returns 0, or a negative errno if it was refused. What was
     * found is added to the problems either way. NULL: cannot be done. */
    int (*reload)(void *userdata, struct problem_list *ret_problems);

    /* Sets the daemon's own debug mask, until the next reload. */
    void (*set_debug)(void *userdata, uint32_t mask);
    /* That of the configuration. */
    uint32_t (*configured_debug)(void *userdata);
};

struct follower;

/* Who calls. */
struct control_caller {
    pid_t pid;
    uid_t uid;
    bool is_trusted; /* may change things, and see clients */
    bool is_page;    /* the unit of dispatcherd-web(8), if it is not trusted */

    /* Of replies that may be a moment old for this caller; NULL: none may. */
    struct control_cache *cache;
};

/* Answers one call. If it asks for events, `follower` follows them from then on; NULL: that is
 * refused. Returns 0 with the reply and its NUL in *ret (the caller's, to be freed with
 * free(); NULL if none is wanted); -EBADMSG if the text is no call; or -ENOMEM, and the reply
 * is control_out_of_memory. A call that changes something may have been carried out all the same.
 */
int control_answer(const struct control_operations *operations, void *userdata,
                   const struct control_caller *caller, struct follower *follower, const char *text,
                   size_t length, char **ret, size_t *ret_size);

/* The reply of last resort, with its NUL. */
extern const char control_out_of_memory[];

/* Name and permission of a method, for the tests. Returns NULL after the last. */
struct control_method_info {
    const char *name; /* INTERFACE.METHOD */
    bool needs_trust;
};

bool control_method_info(size_t i, struct control_method_info *ret);

/* The description of io.dispatcherd.Control and org.varlink.service, made from the files of those
 * names when this is built. */
extern const char control_interface_description[];
extern const char varlink_service_description[];
