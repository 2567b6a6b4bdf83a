/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Keeps new clients out of the queues of sockets that are about to be closed: closing a socket
 * disconnects the clients in its queue. */
#pragma once

#include "dispatcherctl/plan/unit_addresses.h"

#include <sys/types.h>

struct vacating {
    pid_t daemon;
    int pidfd;             /* owned: of the daemon, whose number may be another process's later */
    unsigned long *inodes; /* owned: of the sockets, of which nobody here keeps a copy open */
    size_t n_inodes;
    int guard;       /* owned: closing it ends the guard */
    pid_t guard_pid; /* a process that lets clients in again if this one is killed */
};

/* Filters the process's sockets at these addresses (syn_filter.h). Must be called as root. Returns
 * 0; or a negative errno, with everything as it was. */
int vacating_begin(pid_t daemon, const struct address_set *addresses, struct vacating *ret);

/* Lets new clients in again; or leaves the filters, since the sockets are closed. */
void vacating_end(struct vacating *vacating, bool let_in);
