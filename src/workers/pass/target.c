/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/pass/target.h"

#include "base/str.h"
#include "base/time.h"
#include "workers/common/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define FULL_INTERVAL_USEC (60 * USEC_PER_SEC)

const char *target_text(int error)
{
    switch (error) {
    case -EAGAIN:
        return "it is full";
    case -ENOENT:
        return "the socket does not exist";
    case -ECONNREFUSED:
        return "nobody listens on the socket";
    case -EACCES:
    case -EPERM:
        return "it may not be reached";
    default:
        return strerrordesc_np(-error);
    }
}

static void report_full(struct target *target, uint64_t now)
{
    char others[64] = "";

    if (target->n_full > 0)
        snprintf(others, sizeof(others), " (%llu more %s since the last line)",
                 (unsigned long long)target->n_full, str_plural(target->n_full, "time", "times"));
    dispatcher_worker_log(target->worker, LOG_NOTICE,
                          "cannot pass connections to TO=%s: it is full; clients wait%s",
                          target->path, others);
    target->full_at = now + FULL_INTERVAL_USEC;
    target->n_full = 0;
}

static void report_bad(const struct target *target, int error)
{
    char unit[UNIT_NAME_MAX];

    if (error == -EACCES || error == -EPERM)
        dispatcher_worker_log(target->worker, LOG_ERR,
                              "cannot connect to TO=%s: %s; clients wait. Let the worker's user "
                              "write to the socket and search its folders (SupplementaryGroups=), "
                              "and let it connect (SystemCallFilter=connect) with: systemctl edit "
                              "%s",
                              target->path, strerror(-error),
                              unit_name(dispatcher_worker_service(target->worker), unit));
    else
        dispatcher_worker_log(target->worker, LOG_WARNING,
                              "cannot pass connections to TO=%s: %s; clients wait", target->path,
                              target_text(error));
}

static void note_good(struct target *target, uint64_t now)
{
    if (target->error != 0)
        dispatcher_worker_log(
            target->worker, LOG_NOTICE, "TO=%s takes connections again after %.1f s and %llu %s",
            target->path, (double)(now - target->bad_since) / USEC_PER_SEC,
            (unsigned long long)target->n_bad, str_plural(target->n_bad, "attempt", "attempts"));
    else
        target->n_full++;
    target->bad_since = target->n_bad = 0;
    target->error = 0;
}

static void note_bad(struct target *target, int error, uint64_t now)
{
    if (target->bad_since == 0)
        target->bad_since = now;
    target->n_bad++;
    if (error == target->error || (error == -EAGAIN && now < target->full_at))
        return;
    if (error == -EAGAIN)
        report_full(target, now);
    else
        report_bad(target, error);
    target->error = error;
}

void target_note(struct target *target, int error, uint64_t now)
{
    if (error != 0)
        note_bad(target, error, now);
    else if (target->bad_since != 0)
        note_good(target, now);
}

void target_end(struct target *target)
{
    if (target->n_full > 0)
        dispatcher_worker_log(target->worker, LOG_NOTICE, "TO=%s was full %llu more %s",
                              target->path, (unsigned long long)target->n_full,
                              str_plural(target->n_full, "time", "times"));
    target->n_full = 0;
}
