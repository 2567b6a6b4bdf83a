/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What access control would decide about a client now, with each step. Nobody is asked, and nothing
 * is counted: throttles are only read, and DNS lists answer from the cache. */
#pragma once

#include "dispatcherd/core/service.h"
#include "mapping/port_access.h"
#include "mapping/trace_lines.h"
#include "statistics/statistics.h"

struct trial {
    bool is_rejected;
    bool is_certain; /* no list would have to be asked first, and nothing depended on chance */
    enum statistics_rejection reason;     /* if rejected */
    const struct mapping_entry *entry;    /* of the rules; NULL: no entry decided */
    const char *zone;                     /* of the rules; NULL: none of their lists decided */
    const char *detail;                   /* static; NULL: entry or zone say what decided */
    char text[PORT_ACCESS_REPLY_MAX + 1]; /* for the client, with its line ends */
    struct trace_lines trace;
};

/* The configuration that a trial uses. */
struct trial_rules {
    const struct mapping_set *mappings;
    const struct service_options *options;
};

/* The configuration that is in force for the service. */
struct trial_rules trial_rules_in_force(const struct service *service);

/* Tries a connection from the client to `local`. The caller sets trace.n_max before, and frees the
 * trace afterwards. Returns 0 or -ENOMEM. */
int trial_run(struct service *service, const struct trial_rules *rules,
              const struct address *client, const struct address *local, struct trial *trial);
