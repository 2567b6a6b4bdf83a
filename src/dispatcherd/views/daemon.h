/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What can be shown of the daemon. */
#pragma once

#include "dispatcherd/core/service.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct admission;
struct config_version;
struct due_list;

/* The daemon while one call is answered. Everything is borrowed. */
struct control_daemon {
    const char *state; /* "starting", "running", "stopping", "leaving" */
    bool is_stopping;  /* or leaving: nothing is started any more */
    bool is_on_last_config;
    uint32_t debug; /* the daemon's own mask */
    const char *config_file;
    const char *mapping_file;
    const struct config_version *version; /* in force */
    uint64_t started_at;                  /* CLOCK_MONOTONIC, in microseconds */
    const char *spawner;
    struct service *const *services;
    size_t n_services;
    const struct admission *admission; /* NULL: none */
    const struct due_list *due;        /* NULL: nothing is due */
};

/* Finds a service by name, without regard to case. Returns its index in `services`, or n_services
 * if there is none. */
size_t control_daemon_find(const struct control_daemon *daemon, const char *name);
