/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Keeps new clients out of the queues of sockets that are about to be closed: closing a socket
 * disconnects the clients in its queue. */
#pragma once

#include "dispatcherctl/plan/unit_addresses.h"

#include <sys/types.h>

struct vacating {
    int *fds; /* owned: the daemon's listening sockets */
    size_t n_fds;
    int guard;       /* owned: closing it ends the guard */
    pid_t guard_pid; /* a process that lets clients in again if this one is killed */
};

/* Finds the sockets among the descriptors of the process, and filters them (syn_filter.h). Must be
 * called as root. Returns 0; or a negative errno, with everything as it was. */
int vacating_begin(pid_t daemon, const struct address_set *addresses, struct vacating *ret);

/* Lets new clients in again; or leaves the filters, since the sockets are closed next. */
void vacating_end(struct vacating *vacating, bool let_in);
