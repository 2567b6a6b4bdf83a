/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The course of a service in a span of time, measured or simulated, in the same figures. */
#pragma once

#include "pool/policy.h"
#include "statistics/statistics.h"

#include <stddef.h>
#include <stdint.h>

/* The span is divided into so many steps, for each of which the number of workers is known. */
#define COURSE_STEPS 60

#define N_COURSE_REASONS (REASON_START_DELAYED + 1)

struct course {
    uint64_t from, to; /* microseconds */
    uint64_t n_arrived;
    uint64_t n_served;
    uint64_t n_left; /* clients that went before a worker had them */
    uint64_t n_rejected[N_STATISTICS_REJECTIONS];
    uint64_t n_started;                   /* workers */
    uint64_t n_retired[N_COURSE_REASONS]; /* by enum decision_reason; 0: for none */
    unsigned workers_max;
    uint64_t worker_usec[COURSE_STEPS]; /* of each step: how long its workers lived, added up */

    /* Memory of the workers together, over the time for which it is known. */
    double kib_max;
    double kib_usec;      /* added up */
    uint64_t memory_usec; /* for so long; 0: nothing is known */

    /* How long those that were served waited: in the kernel's queue, and for a worker. Owned;
     * sorted by course_finish(). */
    uint64_t *waits;
    size_t n_waits;
    size_t n_waits_room;
};

/* An empty one of that span; `to` is later than `from`. */
struct course course_init(uint64_t from, uint64_t to);
void course_clear(struct course *course);

/* Returns 0 or -ENOMEM. */
int course_add_wait(struct course *course, uint64_t usec);

/* There were so many workers from one time to another, all or part of which may be outside of the
 * span. */
void course_add_workers(struct course *course, unsigned n, uint64_t from, uint64_t to);

/* They had so much memory together from one time to another, likewise. */
void course_add_memory(struct course *course, double kib, uint64_t from, uint64_t to);

/* To be called once, before the functions below. */
void course_finish(struct course *course);

/* The wait that so many in a thousand do not exceed; 0 if nobody was served. */
uint64_t course_wait(const struct course *course, unsigned per_mille);
uint64_t course_wait_mean(const struct course *course);

/* The average number of workers, in one step and in all. */
double course_workers_in(const struct course *course, unsigned step);
double course_workers(const struct course *course);

/* The average memory of all workers together, in KiB; 0 if it is not known. */
double course_memory(const struct course *course);

uint64_t course_rejected(const struct course *course);

/* Clients that were still waiting, or being checked, when the span was over. */
uint64_t course_waiting(const struct course *course);

/* Retirements of all reasons that renew workers: age and use. */
uint64_t course_recycled(const struct course *course);
