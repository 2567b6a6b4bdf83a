/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reserves descriptors for the start of workers, so that connections which wait for a worker cannot
 * take the last descriptors that its start needs.
 *
 * reserve_fill() decides whether to accept; whoever is about to open something for a worker calls
 * reserve_release() first. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    /* A start takes a pair of sockets, a pidfd, a ring and a log file; and one to spare. */
    RESERVE_MAX = 6
};

struct reserve {
    int fds[RESERVE_MAX]; /* owned; n of them are open */
    unsigned n;
};

/* Fills it again. Returns false if the process may not have more descriptors. */
bool reserve_fill(struct reserve *reserve);

void reserve_release(struct reserve *reserve);

/* Checks whether the process may have enough descriptors to serve this many services. Returns 0; or
 * -EMFILE with the number that it may have and the number that it needs. */
int reserve_check(size_t n_services, unsigned long *ret_limit, unsigned long *ret_needed);
