/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/refusal_run.h"

#include <limits.h>
#include <stdio.h>

void refusal_run_note(struct refusal_run *run, enum statistics_rejection reason, const char *detail)
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

void refusal_run_end(struct refusal_run *run)
{
    run->n = run->n_all = 0;
    run->has_admitted = true;
}

void refusal_run_set_rules(struct refusal_run *run)
{
    run->n = 0;
    run->has_admitted = false;
}

/* What no client should meet, however many strangers come. */
static bool is_fault(enum statistics_rejection reason)
{
    return reason == REJECTED_FOR_PROXY_HEADER || reason == REJECTED_FOR_ERROR;
}

bool refusal_run_is_alarming(const struct refusal_run *run)
{
    bool is_suspicious = !run->has_admitted || is_fault(run->reason);

    return run->n >= (is_suspicious ? REFUSAL_RUN_SUSPICIOUS : REFUSAL_RUN_UNUSUAL);
}

const char *refusal_run_cause(const struct refusal_run *run)
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
