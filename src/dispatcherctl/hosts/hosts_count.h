/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Counts the rows of merged lists (merge.h) by their service. Each returns an array, the caller's,
 * or NULL if there is no memory. */
#pragma once

#include "dispatcherctl/query/selection.h"

#include <jansson.h>

#define HOSTS_SUM_LISTS_MAX 2

/* How many rows of each list each service has, over all hosts: {"service", "hosts", "connections"},
 * for instance. `lists` are HOSTS_SUM_LISTS_MAX at most, and end with NULL. Empty if there is a
 * limit: of the rows beyond it there may be none here, since hosts are not asked for them. */
json_t *hosts_sum_rows(const json_t *merged, const char *const lists[],
                       const struct selection *selection);

/* How many past decisions about a client there are, by service: {"service", "hosts", "accepted",
 * "rejected"}. */
json_t *hosts_sum_decisions(const json_t *merged);

/* What each host decided for each service, and what it would decide now: {"host", "service",
 * "accepted", "rejected", "now"}. */
json_t *hosts_compare_decisions(const json_t *merged);
