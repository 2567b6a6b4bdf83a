/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Runs the daemon: sockets, signals, the workers of a predecessor, and the event loop. */
#pragma once

#include "dispatcherd/checks/access.h"
#include "dispatcherd/core/config_version.h"
#include "dispatcherd/store/passed.h"
#include "dispatcherd/worker/spawner.h"

struct run_settings {
    const char *config_file;
    const char *mapping_file;
    const struct spawner *spawner;
    unsigned stop_limit_sec; /* how long sessions may go on after SIGTERM */
    struct access_settings access;
    const char *control_path; /* of the control socket; NULL: none */
    uint64_t read_at;         /* CLOCK_REALTIME: when the configuration was read */
    bool is_on_last_config;
    unsigned long config_number; /* of the last good configuration in the store; 0: none */
};

/* Runs the services of the configuration, of which it is a user from now on in the caller's place,
 * until SIGTERM or SIGINT, and returns
 * the exit status of the program: 0 after an ordinary stop, 1 if it could not run. Takes what it
 * needs from `passed`. */
int run_services(struct config_version *version, const struct run_settings *settings,
                 struct passed *passed);
