/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the users of the delivered units can read and run: dispatcherd.service has a user of its
 * own, a worker one that nobody knows before it starts, and both are kept from some folders. Root
 * sees all of it, and would check nothing. */
#pragma once

#include "config/options.h"
#include "files/problem.h"

#include <stdbool.h>

/* True if root looks at the installed files of a host that systemd runs, and the daemon's user
 * exists: that the daemon starts by its unit is certain only then. */
bool unit_view_applies(const char *config_file, const char *mapping_file);

/* Runs the function in a child process, with the rights of one of the users. Returns its result,
 * an exit status; or EXIT_FAILURE after a message. */
int unit_view_run_as_daemon(int (*function)(void *data), void *data);
int unit_view_run_as_worker(int (*function)(void *data), void *data);

/* Adds an error for each file that was read and that the sandbox of dispatcherd.service hides. */
void unit_view_check_files(const struct str_list *files, struct problem_list *problems);

/* The same for the IMAGE of each enabled service, and the sandbox of its workers. */
void unit_view_check_images(const struct config *config, struct problem_list *problems);
