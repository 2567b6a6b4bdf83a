/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "statistics/rejection_run.h"

#include <limits.h>
#include <stdio.h>

void rejection_run_note(struct rejection_run *run, enum statistics_rejection reason,
                        const char *detail)
{
    if (reason == REJECTED_FOR_SHUTDOWN)
        return;
    if (reason != run->reason)
        run->n = 0;
    run->reason = reason;
    run->n += run->n < UINT_MAX;
    run->n_all += run->n_all < UINT_MAX;
    snprintf(run->detail, sizeof(run->detail), "%s", detail ? detail : "");
}

void rejection_run_end(struct rejection_run *run)
{
    run->n = run->n_all = 0;
    run->has_admitted = true;
}

void rejection_run_set_rules(struct rejection_run *run)
{
    run->n = 0;
    run->has_admitted = false;
}

void rejection_run_forget(struct rejection_run *run)
{
    *run = (struct rejection_run){0};
}

/* Reasons that no client should meet, however many strangers come. */
static bool is_fault(enum statistics_rejection reason)
{
    return reason == REJECTED_FOR_PROXY_HEADER || reason == REJECTED_FOR_ERROR;
}

bool rejection_run_is_alarming(const struct rejection_run *run)
{
    bool is_suspicious = !run->has_admitted || is_fault(run->reason);

    return run->n >= (is_suspicious ? REJECTION_RUN_SUSPICIOUS : REJECTION_RUN_UNUSUAL);
}

const char *rejection_run_cause(const struct rejection_run *run)
{
    switch (run->reason) {
    case REJECTED_BY_MAPPING:
        return "by PORT_ACCESS";
    case REJECTED_BY_DNS_LIST:
        return "by a DNS list";
    case REJECTED_BY_THROTTLE:
        return "by a throttle";
    case REJECTED_FOR_ADDRESS:
        return "for too many connections from one address";
    case REJECTED_FOR_PROXY_HEADER:
        return "for their PROXY header";
    case REJECTED_FOR_SHUTDOWN:
    case REJECTED_FOR_ERROR:
    case N_STATISTICS_REJECTIONS:
        break;
    }
    return "because their check failed";
}
