/* The daemon as a whole: its services, its signals, its start and its stop.
 *
 *      starting -> running -> stopping -> (the loop ends)
 *
 * starting ends when every service has its MIN_PROCS workers, or a first start that failed. */
#pragma once

#include "config/options.h"
#include "dispatcherd/spawner.h"

struct manager_settings {
    const struct spawner *spawner;
    unsigned stop_limit_sec;  /* how long sessions may go on after SIGTERM */
    const char *control_path; /* of the control socket; NULL: none */
};

/* Runs the services of the configuration, which must outlive the call, until SIGTERM or SIGINT,
 * and returns the exit status of the program: 0 after an ordinary stop, 1 where it could not
 * run. */
int manager_run(const struct config *config, const struct manager_settings *settings);
