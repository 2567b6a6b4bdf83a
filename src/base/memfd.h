/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Memory files: making sealed ones, and checking those of other processes. The name is for
 * debugging only (/proc/PID/fd), and need not be unique. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Makes an empty one that can be written and frozen. Returns its descriptor, which is the caller's,
 * or a negative errno. */
int memfd_new(const char *name);

/* Makes one of `size` bytes, all zero, that can be written but not resized: memory to be shared.
 * Returns its descriptor, which is the caller's, or a negative errno. */
int memfd_new_sized(const char *name, size_t size);

/* Makes the content final; from now on only its owner can open it, and only to read. Fails with
 * -EBUSY while it is mapped for writing. Returns 0 or a negative errno; the descriptor stays the
 * caller's. */
int memfd_freeze(int fd);

/* Whether fd, which need not be a memfd, nor open, has `size` bytes and cannot shrink. Only then is
 * it safe to map: if it were not sealed, its maker could shrink it, and access would fail with
 * SIGBUS. The descriptor stays the caller's. */
bool memfd_is_mappable(int fd, size_t size);
