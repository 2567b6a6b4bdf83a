/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What access control would say of a client now, step by step. Nobody is asked: throttles are
 * looked at without counting, DNS lists say what the cache knows. */
#pragma once

#include "dispatcherd/core/service.h"
#include "mapping/port_access.h"
#include "mapping/trace_lines.h"
#include "statistics/statistics.h"

struct trial {
    bool is_rejected;
    bool is_certain; /* no list would have to be asked first, and nothing was left to chance */
    enum statistics_rejection reason;     /* if rejected */
    const struct mapping_entry *entry;    /* of the tables in force; NULL: none decided */
    const char *zone;                     /* the options'; NULL: no list of theirs decided */
    const char *detail;                   /* static; NULL: entry or zone say it */
    char text[PORT_ACCESS_REPLY_MAX + 1]; /* for the client, with its line ends */
    struct trace_lines trace;
};

/* Tries a connection from the client to `local`. The caller sets trace.n_max before, and frees the
 * trace. Returns 0 or -ENOMEM. */
int trial_run(struct service *service, const struct address *client, const struct address *local,
              struct trial *trial);
