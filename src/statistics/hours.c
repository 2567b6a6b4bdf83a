/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "statistics/hours.h"

#include "base/time.h"

#define USEC_PER_HOUR (3600 * USEC_PER_SEC)

static void complete(struct hours *hours, uint64_t n_events)
{
    if (hours->n_completed == 0 || n_events < hours->min)
        hours->min = n_events;
    if (n_events > hours->max)
        hours->max = n_events;
    hours->n_completed++;
}

static uint64_t elapsed(const struct hours *hours, uint64_t now)
{
    return now > hours->started_at ? now - hours->started_at : 0;
}

/* However many hours passed without an event, they are all alike. */
static void advance(struct hours *hours, uint64_t now)
{
    uint64_t n_due = elapsed(hours, now) / USEC_PER_HOUR;

    if (n_due <= hours->n_completed)
        return;
    complete(hours, hours->n_running);
    hours->n_running = 0;
    if (n_due > hours->n_completed)
        complete(hours, 0);
    hours->n_completed = n_due;
}

void hours_start(struct hours *hours, uint64_t now)
{
    *hours = (struct hours){.started_at = now};
}

void hours_count(struct hours *hours, uint64_t now)
{
    advance(hours, now);
    hours->n_running++;
    hours->n_total++;
}

struct hours_summary hours_summary(const struct hours *hours, uint64_t now)
{
    struct hours copy = *hours;

    advance(&copy, now);
    double n_hours = (double)elapsed(&copy, now) / (double)USEC_PER_HOUR;
    return (struct hours_summary){
        .n_completed = copy.n_completed,
        .n_running = copy.n_running,
        .min = copy.min,
        .max = copy.max,
        .average = copy.n_completed > 0 ? (double)copy.n_total / n_hours : (double)copy.n_running,
    };
}
