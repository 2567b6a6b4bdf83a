/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/alerts.h"

#include "base/time.h"

#include <stdio.h>

void alerts_init(struct alerts *alerts, uint64_t now)
{
    alerts->waits_from = now;
}

void alerts_note_wait(struct alerts *alerts, uint64_t from, uint64_t until)
{
    if (from < alerts->waits_from)
        from = alerts->waits_from;
    if (until > from && until - from > alerts->longest_wait)
        alerts->longest_wait = until - from;
}

/* If the pauses between failed starts (60 s) were longer than this, failed starts would be no row.
 */
#define DEATHS_PAUSE_USEC (60 * USEC_PER_SEC)

void alerts_note_death(struct alerts *alerts, const char *how)
{
    bool is_raised = alerts->of[SERVICE_ALERT_DYING].is_raised;

    alert_row_note(&alerts->deaths, is_raised ? USEC_INFINITY : DEATHS_PAUSE_USEC,
                   time_now_usec(CLOCK_MONOTONIC));
    alerts->has_new_death = true;
    snprintf(alerts->last_death, sizeof(alerts->last_death), "%s", how);
}
