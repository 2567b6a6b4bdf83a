/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The descriptors that the service manager passed when the daemon started: listening sockets, by
 * names of services, and what a predecessor had put into the store. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct inherited_fd {
    int fd;     /* owned until it is taken (then -1) */
    char *name; /* owned */
};

struct inherited {
    struct inherited_fd *items; /* owned */
    size_t n_items;
    bool has_manager; /* a service manager passed sockets: bind none ourselves */
};

/* Collects them, and removes the environment variables about them. Returns 0 or a negative errno.
 */
int inherited_collect(struct inherited *ret);

/* Takes the one that is named `prefix` with the highest number; -1 if there is none. *ret_number is
 * the number, 0 if there is none. The descriptor is the caller's. */
int inherited_take_newest(struct inherited *inherited, const char *prefix,
                          unsigned long *ret_number);

/* Closes those that were not taken. */
void inherited_clear(struct inherited *inherited);
