/* Runs the daemon: sockets, signals, the workers of a predecessor, and the event loop. */
#pragma once

#include "config/options.h"
#include "dispatcherd/passed.h"
#include "dispatcherd/spawner.h"

struct run_settings {
    const char *config_file;
    const struct spawner *spawner;
    unsigned stop_limit_sec;  /* how long sessions may go on after SIGTERM */
    const char *control_path; /* of the control socket; NULL: none */
    bool is_on_last_config;
    unsigned long config_number; /* of the last good configuration in the store; 0: none */
};

/* Runs the services of the configuration, which it takes over, until SIGTERM or SIGINT, and returns
 * the exit status of the program: 0 after an ordinary stop, 1 where it could not run. Takes what it
 * needs from `passed`. */
int run_services(struct config *config, const struct run_settings *settings, struct passed *passed);
