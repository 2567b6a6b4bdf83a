/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The log file of one worker with LOGFILE: its name, and whether it still exists. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* "{0}" has no file. */
struct logfile {
    char *path; /* owned; NULL: it has no name yet */
    dev_t device;
    ino_t inode; /* of the file as it was last opened */
};

/* Names a new file: PATTERN-YYYYMMDDThhmmss.PID, in local time. `pattern` is an absolute path in
 * which "%s" is replaced by `host_name` and "%%" by a percent sign. Returns 0, -ENAMETOOLONG or
 * -ENOMEM. */
int logfile_name(struct logfile *file, const char *pattern, const char *host_name, pid_t pid);

/* Finds the newest file that such a worker has already, and takes it to be open there. Returns 0,
 * or a negative errno (-ENOENT: it has none). */
int logfile_find(struct logfile *file, const char *pattern, const char *host_name, pid_t pid);

/* Opens the file for appending, and makes it if it does not exist. Opens only regular files of this
 * user, no symbolic links and no FIFOs. Returns the descriptor, which is the caller's, or a
 * negative errno. */
int logfile_open(struct logfile *file);

/* True if the file that was last opened still has its name. */
bool logfile_is_in_place(const struct logfile *file);

void logfile_clear(struct logfile *file);

/* Writes the folder of the pattern's files to `folder`, which has PATH_MAX bytes. Returns 0 or
 * -ENAMETOOLONG. */
int logfile_folder(const char *pattern, const char *host_name, char *folder);
