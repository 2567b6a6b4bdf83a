/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The descriptors that the service manager passed at our start: listening sockets by the names of
 * services, and what a predecessor had put into the store. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct passed_fd {
    int fd;     /* owned until somebody takes it (then -1) */
    char *name; /* owned */
};

struct passed {
    struct passed_fd *items; /* owned */
    size_t n_items;
    bool has_manager; /* sockets came from a service manager: bind none ourselves */
};

/* Collects them, and hides the variables that told of them from our children. Returns 0 or a
 * negative errno. */
int passed_collect(struct passed *ret);

/* The one whose name is `prefix` and the highest number, given away to the caller; -1 if there
 * is none. *ret_number is that number, 0 if there is none. */
int passed_take_newest(struct passed *passed, const char *prefix, unsigned long *ret_number);

/* Closes what nobody took. */
void passed_clear(struct passed *passed);
