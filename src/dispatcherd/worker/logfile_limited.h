/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the main loop does with log files, which may be on a file system that does not answer: each
 * call ends within a time limit (base/limited_call.h), and once one has hung all others fail at
 * once until it has come to its end. */
#pragma once

#include "dispatcherd/core/logfile.h"

/* As the functions of logfile.h; -ETIMEDOUT if the file system does not answer. */
int logfile_limited_open(struct logfile *file);
int logfile_limited_find(struct logfile *file, const char *pattern, const char *host_name,
                         pid_t pid);

/* True also for a file whose file system does not answer: it cannot be opened anew. */
bool logfile_limited_is_in_place(const struct logfile *file);

/* Whether there is such a folder, and its file system answers. */
bool logfile_limited_has_folder(const char *folder);
