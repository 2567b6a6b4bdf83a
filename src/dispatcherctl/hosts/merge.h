/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Makes one object of what several hosts have answered: the rows of their lists together, each with
 * its host, and sums. Pure.
 *
 * Monotonic times are those of one clock afterwards: each host's are shifted so that "now" is the
 * same for all. */
#pragma once

#include "dispatcherctl/hosts/gather.h"

#include <jansson.h>

/* {"now": Timestamp, "hosts": [{"host", "error", "reply"}], LIST: [row with "host"], ...}: for each
 * name in `lists` (ended by NULL) an array of all hosts' rows, which are no longer in "reply".
 * Returns 0 with *ret, the caller's; or -ENOMEM. Takes the replies. */
int merge(struct gathered answers[], size_t n, const char *const lists[], json_t **ret);

/* The sum of an array of objects with a name, one for each name: {"name", "hosts": number, ...}.
 * Counts are added; of limits of a span or a count (min, max), the extremes are taken, and averages
 * are averaged; of times, the earliest is taken; a text that differs becomes "". Without regard to
 * the members named in `left_out` (ended by NULL). Returns NULL if there is no memory. */
json_t *merge_sums(const json_t *rows, const char *name, const char *const left_out[]);
