/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Memory files: making sealed ones, and checking those that came from elsewhere. The name is for
 * debugging only (/proc/PID/fd); it need not be unique. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Makes an empty one that can grow, be written, and then be frozen. Returns its descriptor, which
 * is the caller's, or a negative errno. */
int memfd_new(const char *name);

/* Makes one of `size` bytes, all zero, that stays as large as it is and can be written: memory to
 * be shared. Returns its descriptor, which is the caller's, or a negative errno. */
int memfd_new_sized(const char *name, size_t size);

/* What is in it is final from now on, and only its owner can open it, to read. Fails with -EBUSY
 * while it is mapped to be written. Returns 0 or a negative errno; the descriptor stays the
 * caller's. */
int memfd_freeze(int fd);

/* Whether fd, which need not be a memfd, nor open, has `size` bytes and cannot shrink. Then it can
 * be mapped: unsealed, whoever made it could cut it below us. The descriptor stays the caller's. */
bool memfd_is_mappable(int fd, size_t size);
