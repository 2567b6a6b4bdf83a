/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The methods of io.dispatcherd.Control: one table of names, permissions and functions. Calls and
 * replies are text here; control.c has the sockets. */
#pragma once

#include "dispatcherd/views/daemon.h"
#include "files/problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct config_version;
struct control_cache;
struct unit_list;

/* Operations of the daemon as a whole. */
struct control_operations {
    void (*describe)(void *userdata, struct control_daemon *ret);

    /* Reads the configuration again. Returns 0, or a negative errno if it was refused. Problems are
     * added in both cases. NULL: not supported. */
    int (*reload)(void *userdata, struct problem_list *ret_problems);

    /* Reads the files as a reload would, and changes nothing. Returns 0 with a reference to a
     * version in *ret_version, and the units that it needs (all zero if systemd does not start us);
     * or a negative errno. Problems are added in both cases. NULL: not supported. */
    int (*read_files)(void *userdata, struct config_version **ret_version,
                      struct unit_list *ret_units, struct problem_list *ret_problems);

    /* Sets the daemon's own debug mask until the next reload. */
    void (*set_debug)(void *userdata, uint32_t mask);
    /* The daemon's own debug mask in the configuration. */
    uint32_t (*configured_debug)(void *userdata);
};

struct follower;

/* The caller. */
struct control_caller {
    pid_t pid;
    uid_t uid;
    bool is_trusted; /* may change things and see clients */
    bool is_page;    /* belongs to the unit of dispatcherd-web(8), and is not trusted */

    /* For replies to this caller that may be a moment old; NULL: none may. */
    struct control_cache *cache;
};

/* Answers one call. If it asks for events, `follower` follows them from then on; if that is NULL,
 * the call is refused. Returns 0 with the reply and its NUL in *ret, which the caller frees by
 * free(), or NULL if no reply is wanted; -EBADMSG if the text is no call; or -ENOMEM, and the reply
 * is control_out_of_memory. A call that changes something may have been carried out even so. */
int control_answer(const struct control_operations *operations, void *userdata,
                   const struct control_caller *caller, struct follower *follower, const char *text,
                   size_t length, char **ret, size_t *ret_size);

/* The reply of last resort, with its NUL. */
extern const char control_out_of_memory[];

/* Name and permission of a method, for the tests. Returns NULL after the last one. */
struct control_method_info {
    const char *name; /* INTERFACE.METHOD */
    bool needs_trust;
};

bool control_method_info(size_t i, struct control_method_info *ret);

/* The descriptions of io.dispatcherd.Control and org.varlink.service; the build makes them from the
 * files of those names. */
extern const char control_interface_description[];
extern const char varlink_service_description[];
