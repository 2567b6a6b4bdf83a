/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The log files of a service with LOGFILE, one for each worker: opened for its welcome, and opened
 * anew when it was moved away or removed, as logrotate(8) does. */
#pragma once

#include "dispatcherd/core/worker.h"

/* Opens the file for a new worker. Returns the descriptor, which is the caller's; -1 if the service
 * has no LOGFILE, or if the file cannot be opened, which is reported. */
int worker_log_open(struct worker *worker);

/* A predecessor's worker has its file already. */
void worker_log_adopt(struct worker *worker);

/* Its channel was full when the new file was to be sent, and has room again. */
void worker_log_send_again(struct worker *worker);

/* Opens new files for those that have been moved away or removed, and sends them to the workers. */
void worker_logs_check(struct service *service);

/* From now on worker_logs_check() is called whenever a file is moved away or removed. To be called
 * again when LOGFILE has changed. */
void worker_logs_watch(struct service *service);
