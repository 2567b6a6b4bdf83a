/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The throttle's table in the service manager's store: a source that was refused before a restart
 * is refused after it. */
#pragma once

#include "access/throttle.h"

/* Finds the table in a memfd that a predecessor left. Takes over *fd. Returns NULL if it is none
 * that can be used; the caller frees the table. */
struct throttle *throttle_store_open(int *fd);

/* Makes an empty table and puts it into the store as `name`. Returns 0 with *ret, which the caller
 * frees, or a negative errno. That it could not be stored is no error: *ret_store_error is then a
 * negative errno, 0 otherwise. */
int throttle_store_new(const char *name, const struct siphash_key *key, struct throttle **ret,
                       int *ret_store_error);
