/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Clients that are refused one after the other, with nobody admitted in between: whether a service
 * refuses everybody. Pure. */
#pragma once

#include "statistics/statistics.h"

#include <stdbool.h>

/* So many in a row are worth an alert: of a service that has admitted nobody since its rules came
 * into force, or for a reason that is somebody's fault; and of one that has admitted others, whose
 * rules may well refuse most of those who come. */
#define REFUSAL_RUN_SUSPICIOUS 20
#define REFUSAL_RUN_UNUSUAL    100

#define REFUSAL_RUN_DETAIL_MAX 320

/* All zero before the first client. */
struct refusal_run {
    unsigned n;                          /* the last ones, all for `reason` */
    unsigned n_all;                      /* since somebody was admitted, whatever the reason */
    enum statistics_rejection reason;    /* of the last */
    bool has_admitted;                   /* anybody, since the rules came into force */
    char detail[REFUSAL_RUN_DETAIL_MAX]; /* of the last: the entry, the list, the fault */
};

/* A client was refused; `detail` may be NULL. */
void refusal_run_note(struct refusal_run *run, enum statistics_rejection reason,
                      const char *detail);

/* A client was admitted. */
void refusal_run_end(struct refusal_run *run);

/* Other rules are in force: what the old ones admitted says nothing about them. */
void refusal_run_set_rules(struct refusal_run *run);

/* True if that was enough of them for one reason. */
bool refusal_run_is_alarming(const struct refusal_run *run);

/* "by PORT_ACCESS", as in "20 clients were refused by PORT_ACCESS". */
const char *refusal_run_cause(const struct refusal_run *run);
