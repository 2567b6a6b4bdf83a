/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* One session: a program on a connection, from its start to the end of all that it has started. */
#pragma once

#include "workers/inetd/settings.h"
#include "workers/tls/context.h"

#include <dispatcher/worker.h>

#include <stdatomic.h>
#include <sys/resource.h>

/* What became of the sessions of this worker. */
struct session_counts {
    _Atomic uint64_t n_sessions;
    _Atomic uint64_t n_failed;      /* ended with a status but 0, or by a signal of their own */
    _Atomic uint64_t n_ended_by_us; /* for TIMEOUT, LINGER or PROCESSES */
    _Atomic uint64_t n_not_started;
    _Atomic uint64_t n_leftovers; /* processes that were left behind, and killed */
};

struct inetd {
    const struct inetd_settings *settings;
    struct tls_context *tls; /* owned; NULL: there is no certificate */
    struct session_counts counts;
    struct rlimit descriptors; /* the limit of programs */
    int null_fd;               /* /dev/null */
};

/* Serves the connection. Returns when the program and all that it has started are gone. */
void session_serve(struct inetd *inetd, dispatcher_connection *connection);
