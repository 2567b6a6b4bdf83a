/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Descriptors that are kept back for the start of workers: connections that wait for one must not
 * hold the last descriptors that it needs.
 *
 * Accepting goes by reserve_fill(); whoever opens something for a worker calls reserve_release()
 * before. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    /* A start takes a pair of sockets, a pidfd, a ring and a log file; one is for company. */
    RESERVE_MAX = 6
};

struct reserve {
    int fds[RESERVE_MAX]; /* owned; n of them are open */
    unsigned n;
};

/* Makes it whole again. Returns false if the process may have no more descriptors. */
bool reserve_fill(struct reserve *reserve);

void reserve_release(struct reserve *reserve);

/* Looks whether so many services can be served with the descriptors that the process may have.
 * Returns 0, or -EMFILE with the number that it may have and the number that it needs. */
int reserve_check(size_t n_services, unsigned long *ret_limit, unsigned long *ret_needed);
