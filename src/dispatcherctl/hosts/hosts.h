/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* --host: commands that show several hosts at once. */
#pragma once

#include "dispatcherctl/query/request.h"

#include <stdbool.h>
#include <stdio.h>

/* The time limit of each host, unless --timeout is given: ssh and the answer. */
#define HOSTS_LIMIT_SEC 10

/* Whether the command can show several hosts. */
bool hosts_know(const char *verb);

/* The commands that can, joined by ", ". */
const char *hosts_verbs(void);

/* Reads "HOST,HOST..." and appends it to the list. An error is reported. Returns 0 or a negative
 * errno. */
int hosts_parse(const char *text, struct str_list *hosts);

/* Runs the command: an exit status, which is that of a failure if a host is away. */
int hosts_run(const char *verb, const struct request *request);

/* For top: a screen of all hosts, which are asked from the first call on, and each time what they
 * answered last. Returns 0 or a negative errno. */
int hosts_compose_top(const struct request *request, FILE *stream);
