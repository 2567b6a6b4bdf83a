/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The log file of each worker of a service with a LOGFILE: opened for its welcome, and again when
 * it was moved away or removed, as logrotate(8) does. */
#pragma once

#include "dispatcherd/core/worker.h"

/* Opens the file for a new worker. Returns the descriptor, which is the caller's; -1 if the service
 * has no LOGFILE, or it cannot be opened, which is reported. */
int worker_log_open(struct worker *worker);

/* A predecessor's worker has its file already. */
void worker_log_adopt(struct worker *worker);

/* Its channel was too full for the new file, and has room again. */
void worker_log_send_again(struct worker *worker);

/* Opens the files anew that are no longer in their place, and passes them on. */
void worker_logs_check(struct service *service);

/* From now on worker_logs_check() is called whenever one is moved away or removed. To be called
 * again when LOGFILE has changed. */
void worker_logs_watch(struct service *service);
