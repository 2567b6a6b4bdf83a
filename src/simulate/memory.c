/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "simulate/memory.h"

/* KiB: more than any machine has, and what a number can be made of. */
#define KIB_MAX 0x1p50

const char *memory_cause_to_string(enum memory_cause cause)
{
    switch (cause) {
    case MEMORY_PEAK:
        return "most sessions";
    case MEMORY_CONNECTIONS:
        return "connections";
    case MEMORY_SESSIONS:
    case N_MEMORY_CAUSES:
        break;
    }
    return "sessions";
}

static double cause_of(const struct record_memory *memory, enum memory_cause cause)
{
    switch (cause) {
    case MEMORY_PEAK:
        return memory->n_peak;
    case MEMORY_CONNECTIONS:
        return (double)memory->n_total;
    case MEMORY_SESSIONS:
    case N_MEMORY_CAUSES:
        break;
    }
    return memory->n_sessions;
}

/* Sums over the looks; each counts as often as it saw workers. */
struct sums {
    size_t n;
    double n_workers;
    double x, y;   /* of the cause, and KiB, of all workers */
    double xx, xy; /* of the averages of a worker at one look */
};

static struct sums sums_of(const struct recorded_service *service, enum memory_cause cause)
{
    struct sums sums = {0};

    for (size_t i = 0; i < service->n_memories; i++) {
        const struct record_memory *memory = &service->memories[i].memory;
        double x = cause_of(memory, cause), y = (double)memory->kib;

        if (memory->n_workers == 0)
            continue;
        sums.n++;
        sums.n_workers += memory->n_workers;
        sums.x += x;
        sums.y += y;
        sums.xx += x * x / memory->n_workers;
        sums.xy += x * y / memory->n_workers;
    }
    return sums;
}

static double error_of(const struct memory_model *model, const struct recorded_service *service)
{
    double sum = 0, sum_kib = 0;

    for (size_t i = 0; i < service->n_memories; i++) {
        const struct record_memory *memory = &service->memories[i].memory;
        double off = model->worker_kib * memory->n_workers +
                     model->each_kib * cause_of(memory, model->cause) - (double)memory->kib;

        if (memory->n_workers == 0)
            continue;
        sum += off < 0 ? -off : off;
        sum_kib += (double)memory->kib;
    }
    return sum_kib > 0 ? sum / sum_kib : 0;
}

/* Least squares. No part is negative: a worker without sessions needs memory, and sessions free
 * none. */
static struct memory_model fit(const struct recorded_service *service, enum memory_cause cause)
{
    const struct sums sums = sums_of(service, cause);
    struct memory_model model = {.n_samples = sums.n, .cause = cause};

    if (sums.n == 0)
        return model;
    double spread = sums.xx - sums.x * sums.x / sums.n_workers;
    /* Of rounding alone, if a worker always had the same number. */
    if (spread > 1e-9 * sums.xx)
        model.each_kib = (sums.xy - sums.x * sums.y / sums.n_workers) / spread;
    if (model.each_kib < 0)
        model.each_kib = 0;
    model.worker_kib = (sums.y - model.each_kib * sums.x) / sums.n_workers;
    if (model.worker_kib < 0) {
        model.worker_kib = 0;
        model.each_kib = sums.xy / sums.xx;
    }
    model.error = error_of(&model, service);
    return model;
}

struct memory_model memory_model_of(const struct recorded_service *service)
{
    struct memory_model best = fit(service, MEMORY_SESSIONS);

    for (unsigned i = MEMORY_SESSIONS + 1; i < N_MEMORY_CAUSES; i++) {
        const struct memory_model model = fit(service, (enum memory_cause)i);

        if (model.error < best.error)
            best = model;
    }
    return best;
}

static double pool_cause(const struct pool *pool, enum memory_cause cause)
{
    double sum = 0;

    if (cause == MEMORY_SESSIONS)
        return (double)pool->n_handoffs + pool->n_active;
    for (unsigned slot = 0; slot < pool->n_slots; slot++) {
        const struct pool_worker *worker = &pool->workers[slot];

        if (worker->state == POOL_WORKER_READY || worker->state == POOL_WORKER_DRAINING)
            sum += cause == MEMORY_PEAK ? worker->n_peak : (double)worker->n_total;
    }
    return sum;
}

double memory_of_pool(const struct memory_model *model, const struct pool *pool)
{
    if (model->n_samples == 0)
        return 0;
    double kib = model->worker_kib * (pool->n_ready + pool->n_draining) +
                 model->each_kib * pool_cause(pool, model->cause);
    return kib < KIB_MAX ? kib : KIB_MAX;
}

double memory_measured(const struct record_memory *memory)
{
    if (memory->n_workers == 0)
        return 0;
    return (double)memory->kib * memory->n_in_pool / memory->n_workers;
}
