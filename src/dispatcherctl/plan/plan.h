/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What has to be done to bring the files into force: the daemon's part (Plan of the control socket)
 * together with systemd's (unit_plan.h). */
#pragma once

#include "dispatcherctl/plan/unit_plan.h"
#include "dispatcherctl/query/request.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct plan {
    json_t *object; /* owned: what --json prints */
    bool is_usable; /* the files have no errors */
    bool is_running;
    bool has_units; /* systemd starts the daemon, and has its sockets */
    bool needs_reload;
    struct unit_plan units; /* all zero without units */
};

/* Makes the plan, and changes nothing. Errors are reported on standard error. Returns 0 or a
 * negative errno. */
int plan_make(const struct request *request, struct plan *ret);

/* Whether there is nothing to do. */
bool plan_is_empty(const struct plan *plan);

/* Whether another process has a port that is wanted. */
bool plan_is_obstructed(const struct plan *plan);

/* Prints a line for each change: what will be done or, if `is_done`, what was done. Returns 0 or a
 * negative errno. */
int plan_print_changes(const json_t *object, bool is_done, FILE *stream);

/* Prints the problems of the files, the ports that other processes have, the drop-ins that override
 * the file, and the clients whose verdict would change. */
void plan_print_problems(const json_t *object, FILE *stream);
void plan_print_obstacles(const json_t *object, FILE *stream);
void plan_print_notes(const json_t *object, FILE *stream);

void plan_clear(struct plan *plan);

/* The verbs. Each returns an exit status. */
int plan_run(const struct request *request);
int apply_run(const struct request *request);
