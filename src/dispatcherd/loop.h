/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The main loop. */
#pragma once

#include <systemd/sd-event.h>

/* Runs the loop until sd_event_exit(). A turn that fails, for instance because the kernel or
 * malloc() has no memory for it, is reported and repeated; workers and their clients are not
 * affected. Returns the exit code, or a negative errno if turns keep failing. */
int loop_run(sd_event *event);
