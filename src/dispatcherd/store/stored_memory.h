/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Memory that outlives the daemon: a memfd in the service manager's store, mapped as long as the
 * daemon runs. Its content is up to the user of this module. */
#pragma once

#include <stddef.h>

/* Maps what a predecessor left. Takes over *fd. Returns NULL unless it is shareable memory of
 * `size` bytes; the caller unmaps it. */
void *stored_memory_open(int *fd, size_t size);

/* Makes `size` bytes, all zero, and stores them as `name`; `label` is for debugging only. Returns 0
 * with *ret, which the caller unmaps, or a negative errno. If they could not be stored, that is no
 * failure, and *ret_store_error is a negative errno (0 otherwise). */
int stored_memory_new(const char *label, const char *name, size_t size, void **ret,
                      int *ret_store_error);
