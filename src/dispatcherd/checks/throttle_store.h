/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Keeps the throttle's table in the service manager's store, so that a source which was rejected
 * before a restart is rejected after it. */
#pragma once

#include "access/throttle.h"

/* Finds the table in a memfd that a predecessor left, and takes over *fd. Returns NULL if there is
 * no usable table in it. The caller frees the table. */
struct throttle *throttle_store_open(int *fd);

/* Makes an empty table, and puts it into the store as `name`. Returns 0 with *ret, which the caller
 * frees, or a negative errno. If it could not be stored, it works all the same, and
 * *ret_store_error is a negative errno (0 otherwise). */
int throttle_store_new(const char *name, const struct siphash_key *key, struct throttle **ret,
                       int *ret_store_error);
