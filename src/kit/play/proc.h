/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reads the state of the worker's process from /proc. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* True if all threads of the process are stopped. */
bool proc_is_stopped(pid_t pid);

/* Whether the descriptor has the close-on-exec flag: 1, 0, or -1 if it is not open. */
int proc_has_cloexec(pid_t pid, int fd);

/* The descriptor of a socket, or -1 if the process does not have it. */
int proc_find_socket(pid_t pid, ino_t inode);

/* The descriptor of a file that was opened by memfd_create() with this name, or -1. */
int proc_find_memfd(pid_t pid, const char *name);

/* True if descriptor `fd` of the process is the very file that `own` is here. */
bool proc_is_same_file(pid_t pid, int fd, int own);

/* The lowest number that is no descriptor of the process: 0 if it cannot be seen; -1 if it has too
 * many. */
int proc_lowest_free_fd(pid_t pid);
