/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "simulate/measure.h"

#include "base/macro.h"
#include "simulate/memory.h"
#include "statistics/history.h"

static int measure_connection(const struct recorded_connection *connection, struct course *course)
{
    const struct record_connection *facts = &connection->facts;

    if (connection->at < course->from)
        return 0;
    course->n_arrived++;
    if (facts->end == HISTORY_REJECTED) {
        course->n_rejected[facts->rejection % N_STATISTICS_REJECTIONS]++;
        return 0;
    }
    if (!facts->was_handed) {
        course->n_left++;
        return 0;
    }
    course->n_served++;
    return course_add_wait(course, (uint64_t)facts->queued_usec + facts->waited_usec);
}

static void measure_pool(const struct recorded_service *service, struct course *course)
{
    for (size_t i = 0; i < service->n_pools; i++) {
        const struct record_pool *pool = &service->pools[i].pool;
        uint64_t until = i + 1 < service->n_pools ? service->pools[i + 1].at : course->to;

        course_add_workers(course, (unsigned)pool->n_starting + pool->n_ready + pool->n_draining,
                           service->pools[i].at, until);
    }
    for (size_t i = 0; i < service->n_starts; i++)
        course->n_started += service->starts[i].at >= course->from;
    for (size_t i = 0; i < service->n_exits; i++)
        if (service->exits[i].at >= course->from)
            course->n_retired[service->exits[i].facts.reason % N_COURSE_REASONS]++;
}

static void measure_memory(const struct recorded_service *service, struct course *course)
{
    for (size_t i = 0; i < service->n_memories; i++)
        course_add_memory(course, memory_measured(&service->memories[i].memory),
                          service->memories[i].at,
                          i + 1 < service->n_memories ? service->memories[i + 1].at : course->to);
}

int measure(const struct recording *recording, const struct recorded_service *service,
            struct course *ret)
{
    struct course course = course_init(recording->from, recording->to);
    int r = 0;

    for (size_t i = 0; i < service->n_connections && r == 0; i++)
        r = measure_connection(&service->connections[i], &course);
    if (r < 0) {
        course_clear(&course);
        return r;
    }
    measure_pool(service, &course);
    measure_memory(service, &course);
    course_finish(&course);
    *ret = course;
    return 0;
}
