/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The file of a LOGFILE that takes one worker's output: its name, and whether it is still there. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* "{0}" names no file. */
struct logfile {
    char *path; /* owned; NULL: it has no name yet */
    dev_t device;
    ino_t inode; /* of the file that was opened last */
};

/* Names a new file: PATTERN-YYYYMMDDThhmmss.PID, by the local time. In `pattern`, an absolute path,
 * "%s" is replaced by `host_name` and "%%" by a percent sign. Returns 0, -ENAMETOOLONG or
 * -ENOMEM. */
int logfile_name(struct logfile *file, const char *pattern, const char *host_name, pid_t pid);

/* Names the newest file that such a worker has already, which is taken to be open there. Returns 0,
 * or a negative errno (-ENOENT: it has none). */
int logfile_find(struct logfile *file, const char *pattern, const char *host_name, pid_t pid);

/* Opens the file for appending, and makes it if it is not there. Nothing but a regular file of this
 * user is opened: no symbolic link, no FIFO. Returns the descriptor, which is the caller's, or a
 * negative errno. */
int logfile_open(struct logfile *file);

/* True if the file that was opened last still has its name. */
bool logfile_is_in_place(const struct logfile *file);

void logfile_clear(struct logfile *file);

/* The folder of the pattern's files, in `folder` of PATH_MAX bytes. Returns 0 or -ENAMETOOLONG. */
int logfile_folder(const char *pattern, const char *host_name, char *folder);
