/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Starts worker processes, in one of two ways behind a small interface. In both, the daemon gets
 * one end of a control channel, and the worker has the other as descriptor 3; everything after that
 * is the same. */
#pragma once

#include "config/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct spawned {
    int channel; /* the caller's: non-blocking, and it passes the sender's credentials */
    pid_t pid;   /* of a child process; 0 if the process is not ours */
};

struct spawner {
    const char *name;

    /* Starts a worker of the service. Returns 0 with *ret, or a negative errno with the reason in
     * words in `error[error_size]`. */
    int (*start)(const struct service_options *options, struct spawned *ret, char *error,
                 size_t error_size);

    /* Whether a worker can be started now; NULL: always. */
    bool (*can_start)(const struct service_options *options);
};

/* IMAGE becomes a child process: if started by hand, in tests, in containers. */
extern const struct spawner spawner_self;

/* systemd starts an instance of dispatcherd-NAME-worker@.service for our connection to
 * /run/dispatcherd-worker/NAME. The process is no child of ours, has its own user, cgroup and
 * sandbox, and reports its pid in its greeting. */
extern const struct spawner spawner_unit;

bool spawner_can_start(const struct spawner *spawner, const struct service_options *options);

/* The spawner of that name ("self", "unit"), or NULL. */
const struct spawner *spawner_find(const char *name);
