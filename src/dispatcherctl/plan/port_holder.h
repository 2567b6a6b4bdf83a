/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Finds out who listens at an address that is wanted, from /proc (proc(5)). */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct port_holder {
    struct address address; /* where it listens */
    unsigned long inode;    /* of the socket */
    pid_t pid; /* the process with the lowest number; 0: unknown, since processes of other users are
                  hidden */
    char program[32]; /* its name; "" if it is unknown */
    char unit[256];   /* the systemd unit that it belongs to; "" if there is none */
};

/* Finds a listening TCP socket that keeps the address from being bound: one with the same port, at
 * that address or at all addresses of the family. Sockets at `ours[n_ours]` are ignored. Returns
 * whether there is one. */
bool port_holder_find(const struct address *wanted, const struct address ours[], size_t n_ours,
                      struct port_holder *ret);

/* The inode of the socket that listens at exactly that address; 0 if there is none. */
unsigned long port_inode(const struct address *address);

/* Whether the address can be bound now; true if that cannot be found out, for example without the
 * right to bind a low port. */
bool port_is_free(const struct address *wanted);
