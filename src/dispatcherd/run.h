/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Runs the daemon: sockets, signals, the workers of a predecessor, and the event loop. */
#pragma once

#include "dispatcherd/checks/admission.h"
#include "dispatcherd/config/config_version.h"
#include "dispatcherd/process/spawner.h"
#include "dispatcherd/store/inherited.h"

struct run_settings {
    const char *config_file;
    const char *mapping_file;
    const struct spawner *spawner;
    unsigned stop_limit_sec; /* how long sessions may go on after SIGTERM */
    struct admission_settings admission;
    const char *control_path; /* path of the control socket; NULL: none */
    uint64_t read_at;         /* CLOCK_REALTIME: when the configuration was read */
    bool is_on_last_config;
    unsigned long config_number; /* number of the last valid configuration in the store; 0: none */
};

/* Takes over the caller's reference to the configuration, and runs its services until SIGTERM or
 * SIGINT. Takes what it needs from `inherited`. Returns the exit status of the program: 0 after an
 * ordinary stop, 1 if it could not run. */
int run_services(struct config_version *version, const struct run_settings *settings,
                 struct inherited *inherited);
