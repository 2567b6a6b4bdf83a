/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* dispatcherctl top: a live screen of services and workers. */
#pragma once

#include "dispatcherctl/query/request.h"

#include <stddef.h>

/* Runs until the user presses q or interrupts. Returns the exit status. */
int top_run(const struct request *request);

/* How many bytes of the line fit into so many columns; escape sequences for colours take none. For
 * the tests. */
size_t top_cut(const char *line, size_t length, unsigned n_columns);
