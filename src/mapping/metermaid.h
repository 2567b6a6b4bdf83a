/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* check_metermaid, by which files of other dispatchers ask a server that counts the connections of
 * all hosts: $[check_metermaid,throttle,TABLE,ADDRESS]. It is taken as conn_throttle,
 * which counts those of all hosts with FLEET (dispatcher.cnf(5)), and else those of this host. How
 * many may come stands with the server's options there, here in a table of the mapping file:
 *
 *     METERMAID_QUOTA
 *
 *       ext_throttle  60
 *       bad_hosts     10,penalize
 *       big_hosts     quota=5000,quota_time=3600
 */
#pragma once

#include "mapping/callout.h"
#include "mapping/set.h"

#define METERMAID_QUOTA "METERMAID_QUOTA"

/* Reads an expanded argument: *ret becomes a throttle. Returns NULL, or what is wrong. */
const char *metermaid_read(const struct mapping_set *set, const char *argument,
                           struct callout *ret);

/* Like callout_check(). */
const char *metermaid_check(const char *argument);

/* Adds a warning for each such call in the entry that rejects nobody for lack of a number. */
void metermaid_warn(const struct mapping_set *set, const struct mapping_entry *entry,
                    struct problem_list *problems);

/* Without FLEET: adds a warning for each of the other calls, saying what it is replaced by. */
void metermaid_warn_without_fleet(const struct mapping_set *set, struct problem_list *problems);
