/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "statistics/alert.h"

#include "base/time.h"

static uint64_t span_of(const struct alert *alert, const struct alert_rule *rule)
{
    return alert->is_raised ? rule->clear_usec : rule->raise_usec;
}

static enum alert_change turn(struct alert *alert)
{
    alert->is_turning = false;
    alert->is_raised = !alert->is_raised;
    if (!alert->is_raised) {
        alert->ended_at = alert->turning_at;
        return ALERT_CLEARED;
    }
    alert->raised_at = alert->turning_at;
    return ALERT_RAISED;
}

enum alert_change alert_update(struct alert *alert, const struct alert_rule *rule, uint64_t value,
                               uint64_t now)
{
    bool turns = alert->is_raised ? value <= rule->low : value >= rule->high;

    if (!turns) {
        alert->is_turning = false;
    } else if (!alert->is_turning) {
        alert->is_turning = true;
        alert->turning_at = now;
        if (!alert->is_raised)
            alert->worst = 0;
    }
    if ((alert->is_raised || turns) && value > alert->worst)
        alert->worst = value;
    return now >= alert_due(alert, rule) ? turn(alert) : ALERT_SAME;
}

void alert_note(struct alert *alert, uint64_t value)
{
    if (alert->is_raised && value > alert->worst)
        alert->worst = value;
}

uint64_t alert_due(const struct alert *alert, const struct alert_rule *rule)
{
    return alert->is_turning ? time_add_usec(alert->turning_at, span_of(alert, rule))
                             : USEC_INFINITY;
}

enum alert_change alert_end(struct alert *alert, uint64_t now)
{
    alert->is_turning = false;
    if (!alert->is_raised)
        return ALERT_SAME;
    alert->turning_at = now;
    return turn(alert);
}

uint64_t alert_duration(const struct alert *alert, uint64_t now)
{
    uint64_t until = alert->is_raised ? now : alert->ended_at;

    return until > alert->raised_at ? until - alert->raised_at : 0;
}

unsigned alert_row_note(struct alert_row *row, uint64_t pause_usec, uint64_t now)
{
    if (row->n > 0 && now > time_add_usec(row->last_at, pause_usec))
        row->n = 0;
    row->last_at = now;
    return ++row->n;
}
