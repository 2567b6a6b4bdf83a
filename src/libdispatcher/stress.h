/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whether nearly all places of the service are taken. Sessions can look at it, and wait for it. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

struct stress {
    atomic_bool is_on;
    int fd; /* eventfd: readable during stress; owned */
};

/* Returns 0 or a negative errno. */
int stress_init(struct stress *stress);
void stress_free(struct stress *stress);

/* Called by one thread at a time. */
void stress_set(struct stress *stress, bool is_on);
