/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* File descriptors: closing them, passing them on, and setting their flags. */
#pragma once

#include "base/macro.h"

#include <stdbool.h>

/* Closes fd unless it is negative; keeps errno. Returns -1, so that `fd = fd_close(fd)` leaves no
 * stale number. */
int fd_close(int fd);

/* For _cleanup_: closes what the variable holds. */
void fd_cleanup(int *fd);

#define _cleanup_fd_ _cleanup_(fd_cleanup)

/* Gives the descriptor away: the variable is -1 afterwards. */
static inline int take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

/* To be called first in main(): opens /dev/null with `flags` in place of each standard descriptor
 * that is closed. Otherwise the next file to be opened would get that number, and standard error
 * might be written into a file of the state. With O_RDONLY, writing to standard output fails as it
 * does if that is closed; daemons use O_RDWR, since their children inherit it. Returns 0 or a
 * negative errno. */
int fd_fill_standard(int flags);

/* From now on nobody can send descriptors to this Unix socket, or to those that are accepted from
 * it. Kernels before 6.16 cannot do that. Returns 0 or a negative errno. */
int fd_refuse_rights(int fd);

/* They can again, as at first. */
int fd_allow_rights(int fd);

/* Each sets or clears one flag. Returns 0 or a negative errno. */
int fd_set_nonblocking(int fd, bool on);
int fd_set_cloexec(int fd, bool on);
