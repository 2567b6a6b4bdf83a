/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Opens a text file that an administrator wrote. The path may lead to anything: a named pipe, a
 * device, a folder. None of these may hold up whoever reads, or be changed by being opened. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

/* Opens the file without waiting. `may_be_stdin` lets a pipe pass that a process has handed over,
 * as /dev/stdin or /dev/fd/N; reading it waits for its writer. A named pipe is refused in any case.
 * Returns 0 with *ret, which the caller closes, and *ret_stat; a negative errno; or -EINVAL with
 * *ret_fault, a phrase that says what the path leads to (NULL in all other cases). */
int text_file_open(const char *path, bool may_be_stdin, FILE **ret, struct stat *ret_stat,
                   const char **ret_fault);
