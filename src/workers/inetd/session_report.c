/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/inetd/session_report.h"

#include "base/str.h"
#include "base/time.h"
#include "workers/common/line_limit.h"
#include "workers/inetd/advice.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>

#define LINE_MAX_BYTES 600

/* How often a failure to start is reported. */
#define FAILURE_INTERVAL_USEC (60 * USEC_PER_SEC)

/* Ordinary ends (info) are the many, and must not hide the others. With the lines of standard error
 * these are no more than journald accepts, of which it takes notice and info together. */
static struct line_limit ordinary = LINE_LIMIT_INIT("sessions", LOG_INFO, 1500, 100);
static struct line_limit notable = LINE_LIMIT_INIT("failed sessions", LOG_NOTICE, 500, 20);
static struct line_limit not_served = LINE_LIMIT_INIT("clients not served", LOG_ERR, 20, 1);

/* When a program that cannot be executed may be reported again. */
static atomic_uint_fast64_t failure_at;

static const char *cause_text(enum session_cause cause)
{
    switch (cause) {
    case SESSION_BY_ITSELF:
        break;
    case SESSION_TIMEOUT:
        return "ended, since it has lasted as long as PARAMETER=TIMEOUT= allows";
    case SESSION_CLOSED_IT:
        return "ended, since its program has closed the connection and gone on for as long as "
               "PARAMETER=LINGER= allows";
    case SESSION_CLIENT_GONE:
        return "ended, since its client has gone and its program went on for as long as "
               "PARAMETER=LINGER= allows";
    case SESSION_TOO_MANY_PROCESSES:
        return "ended, since it has more processes than PARAMETER=PROCESSES= allows, or took them "
               "from others";
    }
    return "over";
}

static void add_status(struct str_buffer *text, int status)
{
    if (WIFEXITED(status))
        str_buffer_add(text, ", status %d", WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        str_buffer_add(text, ", killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
}

static void write_line(const struct session_result *result, char line[LINE_MAX_BYTES])
{
    struct str_buffer text = str_buffer_init(line, LINE_MAX_BYTES);
    const struct timeval *user = &result->usage.ru_utime, *system = &result->usage.ru_stime;
    uint64_t cpu_usec = (uint64_t)(user->tv_sec + system->tv_sec) * USEC_PER_SEC +
                        (uint64_t)(user->tv_usec + system->tv_usec);

    str_buffer_add(&text, "%s", cause_text(result->cause));
    add_status(&text, result->status);
    str_buffer_add(&text, ", %" PRIu64 ".%03" PRIu64 " s, %" PRIu64 ".%03" PRIu64 " s of CPU",
                   result->duration_usec / USEC_PER_SEC,
                   result->duration_usec % USEC_PER_SEC / USEC_PER_MSEC, cpu_usec / USEC_PER_SEC,
                   cpu_usec % USEC_PER_SEC / USEC_PER_MSEC);
    if (result->n_processes_at_end > 0)
        str_buffer_add(&text, "; it had %u processes", result->n_processes_at_end);
    if (result->n_leftovers > 0)
        str_buffer_add(&text, "; %u %s it left behind killed", result->n_leftovers,
                       str_plural(result->n_leftovers, "process that", "processes that"));
    if (result->n_remaining > 0)
        str_buffer_add(&text,
                       "; %u of its processes cannot be killed, and go on (of another user?)",
                       result->n_remaining);
}

static bool is_failure(const struct session_result *result)
{
    return !WIFEXITED(result->status) || WEXITSTATUS(result->status) != 0;
}

static void count(const struct session_result *result, struct session_counts *counts)
{
    atomic_fetch_add_explicit(&counts->n_sessions, 1, memory_order_relaxed);
    if (result->cause != SESSION_BY_ITSELF)
        atomic_fetch_add_explicit(&counts->n_ended_by_us, 1, memory_order_relaxed);
    else if (is_failure(result))
        atomic_fetch_add_explicit(&counts->n_failed, 1, memory_order_relaxed);
}

void session_report(dispatcher_connection *connection, const struct session_result *result,
                    struct session_counts *counts)
{
    bool is_ordinary =
        !is_failure(result) && result->cause == SESSION_BY_ITSELF && result->n_leftovers == 0;
    int priority = is_ordinary ? LOG_INFO : result->n_remaining > 0 ? LOG_WARNING : LOG_NOTICE;
    char line[LINE_MAX_BYTES];

    count(result, counts);
    if (is_failure(result) || result->cause != SESSION_BY_ITSELF)
        dispatcher_connection_set_outcome(connection, DISPATCHER_FAILED);
    if (!line_limit_take(is_ordinary ? &ordinary : &notable, connection, NULL))
        return;
    write_line(result, line);
    dispatcher_connection_log(connection, priority, "%s", line);
}

void session_report_failure(dispatcher_connection *connection, const char *program, int error,
                            struct session_counts *counts)
{
    uint_fast64_t now = time_now_usec(CLOCK_MONOTONIC), at = atomic_load(&failure_at);
    char advice[ADVICE_MAX];

    atomic_fetch_add_explicit(&counts->n_not_started, 1, memory_order_relaxed);
    if (now >= at && atomic_compare_exchange_strong(&failure_at, &at, now + FAILURE_INTERVAL_USEC))
        dispatcher_connection_log(connection, LOG_ERR, "not served: cannot execute %.200s: %s; %s",
                                  program, strerror(-error), advice_for(program, -error, advice));
}

void session_report_no_tls(dispatcher_connection *connection, int error,
                           struct session_counts *counts)
{
    atomic_fetch_add_explicit(&counts->n_not_started, 1, memory_order_relaxed);
    dispatcher_connection_set_outcome(connection, DISPATCHER_SENT_AWAY);
    if (line_limit_take(&not_served, connection, "TLS"))
        dispatcher_connection_log(connection, LOG_ERR, "not served: TLS: %s", strerror(-error));
}

void session_report_counts(dispatcher_worker *worker, const struct session_counts *counts)
{
    line_limits_end();
    dispatcher_worker_log(worker, LOG_INFO,
                          "%" PRIu64 " sessions: %" PRIu64 " failed, %" PRIu64
                          " ended by limits, %" PRIu64 " not started; %" PRIu64
                          " processes left behind",
                          counts->n_sessions, counts->n_failed, counts->n_ended_by_us,
                          counts->n_not_started, counts->n_leftovers);
}
