/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Opens a text file that an administrator wrote. The path may lead to anything: a named pipe, a
 * device, a folder. None of these may block the reader, or be changed by being opened. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

/* Opens the file without waiting. With `may_be_stdin`, a pipe that a process has handed over is
 * accepted (/dev/stdin, /dev/fd/N); reading it waits for its writer. A named pipe is refused in any
 * case. Returns 0 with *ret, which the caller closes, and *ret_stat; or a negative errno. With
 * -EINVAL, *ret_fault is a phrase that says what the path leads to; it is NULL in all other cases.
 */
int text_file_open(const char *path, bool may_be_stdin, FILE **ret, struct stat *ret_stat,
                   const char **ret_fault);
