/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whether the worker drains, and how urgently. Sessions can look at it, and wait for it. */
#pragma once

#include "dispatcher/worker.h"

#include <stdatomic.h>

struct drain {
    atomic_int kind; /* enum dispatcher_drain; it only increases */
    int recycle_fd;  /* eventfd: readable from DISPATCHER_DRAIN_RECYCLE on; owned */
    int stop_fd;     /* eventfd: readable from DISPATCHER_DRAIN_STOP on; owned */
};

/* Returns 0 or a negative errno. */
int drain_init(struct drain *drain);
void drain_free(struct drain *drain);

/* Begins a drain, or makes the present one more urgent. Returns true if it begins. */
bool drain_raise(struct drain *drain, enum dispatcher_drain kind);

enum dispatcher_drain drain_kind(const struct drain *drain);
