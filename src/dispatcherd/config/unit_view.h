/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the installed units can read and run: dispatcherd.service has a user of its own, each worker
 * has one that does not exist before, and some folders are hidden from both. Root can see
 * everything, so a check as root would find nothing. */
#pragma once

#include "config/options.h"
#include "files/problem.h"

#include <stdbool.h>

/* Whether these checks apply: root checks the installed files, on a host with systemd, and the
 * daemon's user exists. Only then is it certain that the daemon starts by its unit. */
bool unit_view_applies(const char *config_file, const char *mapping_file);

/* Runs the function in a child process with the rights of the user. Returns its result, an exit
 * status; or EXIT_FAILURE after a message. */
int unit_view_run_as_daemon(int (*function)(void *data), void *data);
int unit_view_run_as_worker(int (*function)(void *data), void *data);

/* Adds an error for each of the files that the sandbox of dispatcherd.service hides. */
void unit_view_check_files(const struct str_list *files, struct problem_list *problems);

/* Adds an error for the IMAGE of each enabled service that the sandbox of its workers hides. */
void unit_view_check_images(const struct config *config, struct problem_list *problems);
