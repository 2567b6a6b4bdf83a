/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Why the service manager ends us: only it knows whether a successor follows at once. */
#pragma once

enum job_type {
    JOB_NONE, /* it wants nothing of us: somebody else sent the signal */
    JOB_STOP,
    JOB_RESTART, /* or another job after which we run again */
    JOB_UNKNOWN, /* it cannot be asked: no unit, no bus */
};

/* Asks systemd, over the system bus, for the job that our own unit has at the moment. Waits for at
 * most two seconds. */
enum job_type job_ask(void);

const char *job_type_to_string(enum job_type type);
