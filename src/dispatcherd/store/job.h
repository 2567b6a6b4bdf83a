/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Why the service manager stops the daemon: only systemd knows whether a successor follows at once.
 */
#pragma once

enum job_type {
    JOB_NONE, /* no job: the signal came from somewhere else */
    JOB_STOP,
    JOB_RESTART, /* or another job after which the unit runs again */
    JOB_UNKNOWN, /* it could not be asked: no unit, or no bus */
};

/* Asks systemd over the system bus for the current job of our own unit. A bus or a systemd that
 * does not answer is given up after two seconds, at each of four steps. */
enum job_type job_ask(void);

const char *job_type_to_string(enum job_type type);
