/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* dispatcherctl top: services and workers on a live screen. */
#pragma once

#include "dispatcherctl/request.h"

#include <stddef.h>

/* Shows until somebody presses q, or interrupts. Returns the exit status. */
int top_run(const struct request *request);

/* Where a line of so many columns ends: its length in bytes, sequences that only colour not
 * counted as columns. For the tests. */
size_t top_cut(const char *line, size_t length, unsigned n_columns);
