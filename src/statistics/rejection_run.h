/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Clients that were rejected one after the other, with none admitted in between: whether a service
 * rejects every client. Pure. */
#pragma once

#include "statistics/statistics.h"

#include <stdbool.h>

/* How many in a row raise an alert: the first, if the service has admitted nobody since its rules
 * came into force, or if the reason is a fault; the second, if it has admitted others, since its
 * rules may well reject most clients. */
#define REJECTION_RUN_SUSPICIOUS 20
#define REJECTION_RUN_UNUSUAL    100

#define REJECTION_RUN_DETAIL_MAX 320

/* All zero before the first client. */
struct rejection_run {
    unsigned n;                            /* the last ones, all for `reason` */
    unsigned n_all;                        /* since the last client was admitted, for any reason */
    enum statistics_rejection reason;      /* of the last one */
    bool has_admitted;                     /* at least one, since the rules came into force */
    char detail[REJECTION_RUN_DETAIL_MAX]; /* of the last one: the entry, the list, the fault */
};

/* a client was rejected; `detail` may be NULL. */
void rejection_run_note(struct rejection_run *run, enum statistics_rejection reason,
                        const char *detail);

/* A client was admitted. */
void rejection_run_end(struct rejection_run *run);

/* Other rules are in force: clients that were admitted under the old ones do not count. */
void rejection_run_set_rules(struct rejection_run *run);

/* Forgets all clients. */
void rejection_run_forget(struct rejection_run *run);

/* Whether there were enough of them for one reason. */
bool rejection_run_is_alarming(const struct rejection_run *run);

/* "by PORT_ACCESS", as in "20 clients were rejected by PORT_ACCESS". */
const char *rejection_run_cause(const struct rejection_run *run);
