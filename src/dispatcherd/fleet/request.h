/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What is sent to the store, in its protocol. Each function appends to a buffer of the caller's. */
#pragma once

#include "dispatcherd/fleet/ledger.h"

#include <stddef.h>

/* A buffer that grows up to a limit. All zero is empty; the owner frees `data`. */
struct fleet_output {
    char *data;
    size_t n_bytes, n_sent, size;
};

/* Returns 0; -ENOBUFS if more than FLEET_OUTPUT_MAX bytes wait for being sent; or -ENOMEM. */
int fleet_request_auth(struct fleet_output *output, const char *password);
int fleet_request_load(struct fleet_output *output);

/* `sha` of the script; NULL: the script itself goes with it. `epoch`: for a store that has none. */
int fleet_request_batch(struct fleet_output *output, const char *sha, const char *name,
                        const char *epoch, const struct fleet_batch *batch);

/* What a store may leave unread: as much as it is sent in 50 ms. */
#define FLEET_OUTPUT_MAX (1024 * 1024)
