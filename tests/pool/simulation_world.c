/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "pool/simulation.h"

#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t pick(struct simulation *simulation, uint64_t min, uint64_t max)
{
    return random_between(&simulation->random, min, max);
}

static uint64_t pick_one_of(struct simulation *simulation, const uint64_t values[], size_t n_values)
{
    return values[pick(simulation, 0, n_values - 1)];
}

#define PICK_ONE_OF(simulation, ...)                                                               \
    pick_one_of(simulation, (const uint64_t[]){__VA_ARGS__},                                       \
                sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

/* Small numbers meet their limits often; the corners (all equal, all 1) come up by themselves. */
static struct pool_options random_options(struct simulation *simulation)
{
    struct pool_options options = {.max_procs = (unsigned)pick(simulation, 1, 6),
                                   .max_conns = (unsigned)pick(simulation, 1, 6)};

    options.min_procs = (unsigned)pick(simulation, 0, options.max_procs);
    options.min_conns = (unsigned)pick(simulation, 1, options.max_conns);
    options.max_handoffs = (unsigned)pick(simulation, 1, options.max_conns);
    options.max_shutdown = (unsigned)pick(simulation, 1, options.max_procs);
    options.max_life_usec = PICK_ONE_OF(simulation, 0, 0, 2, 10, 60, 3600) * USEC_PER_SEC;
    options.max_life_conns = PICK_ONE_OF(simulation, 0, 0, 1, 2, 5, 20);
    options.max_idle_usec = PICK_ONE_OF(simulation, 0, 1, 3, 10, 60) * USEC_PER_SEC;
    return options;
}

static struct simulation_character random_character(struct simulation *simulation)
{
    return (struct simulation_character){
        .start_max_usec = PICK_ONE_OF(simulation, 0, 20, 1000, 30000) * USEC_PER_MSEC,
        .ack_max_usec = PICK_ONE_OF(simulation, 0, 1, 100, 20000) * USEC_PER_MSEC,
        .session_max_usec = PICK_ONE_OF(simulation, 0, 50, 2000, 60000) * USEC_PER_MSEC,
        .check_max_usec = PICK_ONE_OF(simulation, 0, 0, 10, 5000) * USEC_PER_MSEC,
        .arrival_max_usec = PICK_ONE_OF(simulation, 10, 200, 2000, 30000) * USEC_PER_MSEC,
        .mishap_max_usec = PICK_ONE_OF(simulation, 0, 500, 5000, 60000) * USEC_PER_MSEC,
        .burst_max = (unsigned)PICK_ONE_OF(simulation, 1, 1, 3, 30),
        .start_fails_percent = (unsigned)PICK_ONE_OF(simulation, 0, 0, 10, 50, 100),
        .few_threads_percent = (unsigned)PICK_ONE_OF(simulation, 0, 0, 30),
        .refused_percent = (unsigned)PICK_ONE_OF(simulation, 0, 0, 10),
        .put_off_percent = (unsigned)PICK_ONE_OF(simulation, 0, 0, 0, 10, 90),
        .passed_on_percent = (unsigned)PICK_ONE_OF(simulation, 0, 0, 50, 100),
    };
}

void simulation_init(struct simulation *simulation, uint64_t seed)
{
    *simulation =
        (struct simulation){.seed = seed, .random = {.state = seed}, .now = 1000 * USEC_PER_SEC};
    simulation->options = random_options(simulation);
    simulation->character = random_character(simulation);
    simulation_schedule(simulation, EVENT_ARRIVAL, 0, simulation->character.arrival_max_usec);
    if (simulation->character.mishap_max_usec > 0)
        simulation_schedule(simulation, EVENT_MISHAP, 0, simulation->character.mishap_max_usec);
}

/* A used slot; POOL_WORKERS_MAX where there is none. */
static unsigned random_worker(struct simulation *simulation)
{
    const struct pool *pool = &simulation->pool;

    if (pool_total(pool) == 0)
        return POOL_WORKERS_MAX;
    for (;;) {
        unsigned slot = (unsigned)pick(simulation, 0, pool->n_slots - 1);

        if (pool->workers[slot].state != POOL_WORKER_NONE)
            return slot;
    }
}

static void drain_by_command(struct simulation *simulation, unsigned slot)
{
    if (simulation->pool.workers[slot].state == POOL_WORKER_DRAINING)
        return;
    pool_worker_draining(&simulation->pool, slot, simulation->now);
    simulation_exit_if_done(simulation, slot);
}

static void reload(struct simulation *simulation)
{
    simulation->options = random_options(simulation);
}

void simulation_mishap(struct simulation *simulation)
{
    struct pool *pool = &simulation->pool;
    unsigned slot = random_worker(simulation);

    switch (pick(simulation, 0, 13)) {
    case 0:
        reload(simulation);
        break;
    case 1:
        pool->is_stopping = true;
        break;
    case 2:
    case 3:
        pool->is_stopping = false;
        break;
    case 4:
        if (pool->n_waiting > 0)
            pool_waiting_ended(pool);
        break;
    case 5:
    case 6:
        if (slot < POOL_WORKERS_MAX)
            drain_by_command(simulation, slot);
        break;
    case 7:
    case 8:
        if (slot < POOL_WORKERS_MAX)
            pool_worker_blocked(pool, slot, !pool->workers[slot].is_blocked);
        break;
    case 9:
    case 10:
        if (slot < POOL_WORKERS_MAX)
            pool_worker_outdated(pool, slot);
        break;
    case 11:
        pool_want_start(pool);
        break;
    default:
        if (slot < POOL_WORKERS_MAX)
            simulation_kill(simulation, slot);
        break;
    }
}

void simulation_calm_down(struct simulation *simulation)
{
    unsigned n_kept = 0;

    simulation->character.mishap_max_usec = 0;
    simulation->character.ack_max_usec = 100 * USEC_PER_MSEC;
    simulation->character.session_max_usec = USEC_PER_SEC;
    simulation->character.start_fails_percent = 0;
    simulation->character.refused_percent = 0;
    simulation->character.put_off_percent = 0;
    simulation->character.passed_on_percent = 0;
    simulation->options.max_life_usec = 0;
    simulation->options.max_life_conns = 0;
    for (unsigned i = 0; i < simulation->pool.n_slots; i++)
        if (simulation->pool.workers[i].state != POOL_WORKER_NONE)
            pool_worker_blocked(&simulation->pool, i, false);
    for (unsigned i = 0; i < simulation->n_events; i++)
        if (simulation->events[i].kind != EVENT_ARRIVAL &&
            simulation->events[i].kind != EVENT_MISHAP)
            simulation->events[n_kept++] = simulation->events[i];
    simulation->n_events = n_kept;
}

void simulation_hold_load(struct simulation *simulation, unsigned n_clients)
{
    simulation_calm_down(simulation);
    simulation->character.is_steady = true;
    simulation->character.session_max_usec = PICK_ONE_OF(simulation, 1, 2, 10, 60) * USEC_PER_SEC;
    simulation->character.check_max_usec = 0;
    simulation->character.ack_max_usec = USEC_PER_MSEC;
    simulation->character.arrival_max_usec = 10 * USEC_PER_MSEC;
    simulation->character.few_threads_percent = 0;
    simulation->pool.is_stopping = false;
    simulation->pool.wants_start = false; /* else it starts when a worker of a full pool goes */
    simulation->n_backlog = n_clients;
}

void simulation_print(const struct simulation *simulation)
{
    const struct pool_options *options = &simulation->options;
    const struct pool *pool = &simulation->pool;

    printf("TEST_HISTORY=%" PRIu64 " violates: %s\n", simulation->seed, simulation->violation);
    printf("at %" PRIu64 " usec: starting %u, ready %u, draining %u; checking %u, waiting %u, "
           "hand-offs %u, active %u, backlog %u%s; failed starts %u, next start at %" PRIu64 "\n",
           simulation->now, pool->n_starting, pool->n_ready, pool->n_draining, pool->n_checking,
           pool->n_waiting, pool->n_handoffs, pool->n_active, simulation->n_backlog,
           pool->is_stopping ? ", stopping" : "", pool->n_failed_starts, pool->next_start_at);
    printf("MIN_PROCS=%u MAX_PROCS=%u MIN_CONNS=%u MAX_CONNS=%u MAX_HANDOFFS=%u MAX_SHUTDOWN=%u "
           "MAX_LIFE_TIME=%" PRIu64 " MAX_LIFE_CONNS=%" PRIu64 " MAX_IDLE_TIME=%" PRIu64 "\n",
           options->min_procs, options->max_procs, options->min_conns, options->max_conns,
           options->max_handoffs, options->max_shutdown, options->max_life_usec / USEC_PER_SEC,
           options->max_life_conns, options->max_idle_usec / USEC_PER_SEC);
    for (unsigned i = 0; i < pool->n_slots; i++)
        printf("worker %u (start %" PRIu64 "): %s%s, %u hand-offs, %u active, of %u; %" PRIu64
               " in its life; started at %" PRIu64 ", idle since %" PRIu64 "\n",
               i, pool->workers[i].start_number,
               pool_worker_state_to_string(pool->workers[i].state),
               pool->workers[i].is_blocked ? " (blocked)" : "", pool->workers[i].n_handoffs,
               pool->workers[i].n_active, pool->workers[i].max_conns, pool->workers[i].n_total,
               pool->workers[i].started_at, pool->workers[i].idle_since);
    fflush(stdout);
}
