/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Starts a session's program by vfork(2): that costs the same whatever the adapter's size. */
#pragma once

#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct launch {
    char *const *arguments; /* the first is the program's path */
    char *const *environment;
    int socket;                       /* becomes 0 and 1; none of these is below 3 */
    int error;                        /* becomes 2 */
    uint64_t mark;                    /* marks.h; 0: none */
    const struct rlimit *descriptors; /* the program's limit; NULL: ours */
};

/* The program leads a session (setsid(2)) and a group of its own, has no signal blocked or ignored,
 * and is killed if the calling thread ends. Returns its process, or a negative errno: what
 * execve(2) said of the program, or why no process could be made (-EAGAIN, -ENOMEM). */
pid_t launch_program(const struct launch *launch);

/* Finds out whether the kernel would execute the program, without running it. Returns 0 or a
 * negative errno. */
int launch_try(const char *program);
