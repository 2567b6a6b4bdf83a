/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "simulate/course.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct course course_init(uint64_t from, uint64_t to)
{
    return (struct course){.from = from, .to = to > from ? to : from + 1};
}

void course_clear(struct course *course)
{
    free(course->waits);
    *course = (struct course){0};
}

int course_add_wait(struct course *course, uint64_t usec)
{
    if (course->n_waits == course->n_waits_room) {
        size_t n_room = course->n_waits_room > 0 ? 2 * course->n_waits_room : 1024;
        uint64_t *waits = reallocarray(course->waits, n_room, sizeof(*waits));

        if (!waits)
            return -ENOMEM;
        course->waits = waits;
        course->n_waits_room = n_room;
    }
    course->waits[course->n_waits++] = usec;
    return 0;
}

static uint64_t step_begins(const struct course *course, unsigned step)
{
    return course->from + (course->to - course->from) * step / COURSE_STEPS;
}

/* Leaves what lies within the course. Returns false if that is nothing. */
static bool clip(const struct course *course, uint64_t *from, uint64_t *to)
{
    if (*from < course->from)
        *from = course->from;
    if (*to > course->to)
        *to = course->to;
    return *from < *to;
}

void course_add_workers(struct course *course, unsigned n, uint64_t from, uint64_t to)
{
    if (!clip(course, &from, &to))
        return;
    if (n > course->workers_max)
        course->workers_max = n;
    unsigned step = (unsigned)((from - course->from) * COURSE_STEPS / (course->to - course->from));
    for (; step < COURSE_STEPS; step++) {
        uint64_t begin = step_begins(course, step), end = step_begins(course, step + 1);

        if (begin >= to)
            break;
        begin = begin > from ? begin : from;
        end = end < to ? end : to;
        if (end > begin)
            course->worker_usec[step] += n * (end - begin);
    }
}

void course_add_memory(struct course *course, double kib, uint64_t from, uint64_t to)
{
    if (!clip(course, &from, &to))
        return;
    if (kib > course->kib_max)
        course->kib_max = kib;
    course->kib_usec += kib * (double)(to - from);
    course->memory_usec += to - from;
}

static int by_length(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

    return (one > other) - (one < other);
}

void course_finish(struct course *course)
{
    if (course->n_waits > 0)
        qsort(course->waits, course->n_waits, sizeof(*course->waits), by_length);
}

uint64_t course_wait(const struct course *course, unsigned per_mille)
{
    if (course->n_waits == 0)
        return 0;
    return course->waits[(course->n_waits - 1) * per_mille / 1000];
}

uint64_t course_wait_mean(const struct course *course)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < course->n_waits; i++)
        sum += course->waits[i];
    return course->n_waits > 0 ? sum / course->n_waits : 0;
}

double course_workers_in(const struct course *course, unsigned step)
{
    uint64_t length = step_begins(course, step + 1) - step_begins(course, step);

    return length > 0 ? (double)course->worker_usec[step] / (double)length : 0;
}

double course_workers(const struct course *course)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < COURSE_STEPS; i++)
        sum += course->worker_usec[i];
    return (double)sum / (double)(course->to - course->from);
}

double course_memory(const struct course *course)
{
    return course->memory_usec > 0 ? course->kib_usec / (double)course->memory_usec : 0;
}

uint64_t course_rejected(const struct course *course)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < N_STATISTICS_REJECTIONS; i++)
        sum += course->n_rejected[i];
    return sum;
}

uint64_t course_waiting(const struct course *course)
{
    uint64_t n_gone = course->n_served + course->n_left + course_rejected(course);

    return course->n_arrived > n_gone ? course->n_arrived - n_gone : 0;
}

uint64_t course_recycled(const struct course *course)
{
    return course->n_retired[REASON_AGE] + course->n_retired[REASON_USE];
}
