/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Memory that outlives the daemon: a memfd in the service manager's store, mapped as long as we
 * run. What is in it is its user's business. */
#pragma once

#include <stddef.h>

/* Maps what a predecessor left. Takes over *fd. Returns NULL if it is not `size` bytes of memory
 * that can be shared; else the caller unmaps it. */
void *stored_memory_open(int *fd, size_t size);

/* Makes `size` bytes, all zero, and puts them into the store as `name`; `label` is for debugging
 * only. Returns 0 with *ret, which the caller unmaps, or a negative errno. That it could not be
 * stored is no error: *ret_store_error is then a negative errno, 0 otherwise. */
int stored_memory_new(const char *label, const char *name, size_t size, void **ret,
                      int *ret_store_error);
