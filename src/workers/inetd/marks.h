/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which session a process belongs to, whatever it has done to get away: each session's program gets
 * a hard limit of RLIMIT_RTTIME (getrlimit(2)) that no other has. It is inherited by everything
 * that the program starts, without privileges it can only be lowered, nobody sets it, and it has no
 * effect on processes without real-time scheduling. Who has it is read in /proc/PID/limits. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A mark that no living session of this process has. */
uint64_t marks_new(void);

/* Marks the calling process, after vfork(2). Returns 0 or a negative errno. */
int marks_set(uint64_t mark);

/* The mark of a process; 0 if it has none, is gone or is not seen. */
uint64_t marks_of(pid_t pid);

struct marked {
    pid_t pid;
    uint64_t mark;
    char state; /* as in proc_pid_stat(5) */
};

struct marked_list {
    struct marked *items; /* owned */
    size_t n_items, n_room;
};

/* All processes with the mark, or, for 0, with any mark of this adapter. Returns 0 or a negative
 * errno. The list is used again by the next call. */
int marks_list(uint64_t mark, struct marked_list *list);
