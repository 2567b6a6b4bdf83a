/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Calls of logfile.h for the main loop. Log files may be on a file system that does not answer:
 * each call ends within a time limit (base/limited_call.h), and after one has hung all others fail
 * at once until it has finished. */
#pragma once

#include "dispatcherd/process/logfile.h"

/* As in logfile.h; -ETIMEDOUT if the file system does not answer. */
int logfile_limited_open(struct logfile *file);
int logfile_limited_find(struct logfile *file, const char *pattern, const char *host_name,
                         pid_t pid);

/* True also if the file system does not answer: then the file cannot be opened anew. */
bool logfile_limited_is_in_place(const struct logfile *file);

/* Whether the folder exists, and its file system answers. */
bool logfile_limited_has_folder(const char *folder);
