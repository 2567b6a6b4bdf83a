/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whether the worker drains, and how urgently: what sessions look at, and what they wait for. */
#pragma once

#include "dispatcher/worker.h"

#include <stdatomic.h>

struct drain {
    atomic_int kind; /* enum dispatcher_drain; it only ever grows */
    int recycle_fd;  /* eventfd: readable from DISPATCHER_DRAIN_RECYCLE on; owned */
    int stop_fd;     /* eventfd: readable from DISPATCHER_DRAIN_STOP on; owned */
};

/* Returns 0 or a negative errno. */
int drain_init(struct drain *drain);
void drain_free(struct drain *drain);

/* Begins a drain, or makes one that is under way more urgent. Returns true if it begins. */
bool drain_raise(struct drain *drain, enum dispatcher_drain kind);

enum dispatcher_drain drain_kind(const struct drain *drain);
