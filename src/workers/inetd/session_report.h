/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the log has of a session's end. */
#pragma once

#include "workers/inetd/session.h"

#include <sys/resource.h>

enum session_cause {
    SESSION_BY_ITSELF,
    SESSION_TIMEOUT,            /* PARAMETER=TIMEOUT= */
    SESSION_CLOSED_IT,          /* the program closed the connection, and went on for LINGER= */
    SESSION_CLIENT_GONE,        /* the connection was dead, and it went on for LINGER= */
    SESSION_TOO_MANY_PROCESSES, /* PARAMETER=PROCESSES= */
};

struct session_result {
    enum session_cause cause;
    int status; /* of wait4(2) */
    struct rusage usage;
    uint64_t duration_usec;
    unsigned n_leftovers; /* killed after it */
    unsigned n_remaining; /* that could not be killed */
    unsigned n_processes_at_end;
};

/* Writes one line, and counts. */
void session_report(dispatcher_connection *connection, const struct session_result *result,
                    struct session_counts *counts);

/* The program could not be started. */
void session_report_failure(dispatcher_connection *connection, const char *program, int error,
                            struct session_counts *counts);

/* TLS could not begin, for a cause that is no client's. */
void session_report_no_tls(dispatcher_connection *connection, int error,
                           struct session_counts *counts);

/* At the worker's end: all of its sessions, in one line, after what was left out. */
void session_report_counts(dispatcher_worker *worker, const struct session_counts *counts);
