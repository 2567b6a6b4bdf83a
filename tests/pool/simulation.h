/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A small world around one pool, in simulated time: clients come, workers start, fail, block and
 * die, acknowledgements are late, options change. What policy_decide() and policy_may_accept() say
 * is carried out as the daemon would, and after every step the invariants (invariants.h) are
 * checked. The same seed gives the same history. */
#pragma once

#include "support/random.h"

#include "pool/invariants.h"
#include "pool/policy.h"

/* What this history's world is like. */
struct simulation_character {
    uint64_t start_max_usec; /* each of these takes a random time up to so much */
    uint64_t ack_max_usec;
    uint64_t session_max_usec;
    uint64_t check_max_usec; /* 0: nothing is checked */
    uint64_t arrival_max_usec;
    uint64_t mishap_max_usec; /* 0: nothing goes wrong, nothing is changed */
    unsigned burst_max;       /* clients that come at a time */
    unsigned start_fails_percent;
    unsigned few_threads_percent; /* workers that can serve fewer than MAX_CONNS */
    unsigned refused_percent;     /* hand-offs that the worker refuses */
    unsigned put_off_percent;     /* hand-offs that the worker puts off */
    unsigned passed_on_percent;   /* sessions that the worker passes on, or that outlive it */
    bool is_steady; /* each client that leaves comes again at once, one after another */
};

enum simulation_event_kind {
    EVENT_ARRIVAL,
    EVENT_CHECKED,
    EVENT_READY,
    EVENT_START_FAILED,
    EVENT_HANDOFF_ENDED,
    EVENT_SESSION_ENDED,
    EVENT_PASSED_ON_ENDED,
    EVENT_RESTED,
    EVENT_EXITED,
    EVENT_MISHAP,
};

struct simulation_event {
    enum simulation_event_kind kind;
    uint64_t at;
    unsigned slot;
    uint64_t start_number; /* an event of a worker that is gone means nothing */
};

#define SIMULATION_EVENTS_MAX 512

struct simulation {
    struct pool pool;
    struct pool_options options;
    struct simulation_character character;
    struct observations observed;
    struct random_source random;
    uint64_t seed;
    uint64_t now;
    unsigned n_backlog; /* clients in the kernel's queue */
    unsigned n_away;    /* of a steady load: left, and not yet come again */
    struct simulation_event events[SIMULATION_EVENTS_MAX];
    unsigned n_events;
    unsigned n_decisions[DECISION_RETIRE + 1];
    const char *violation; /* the first invariant that did not hold; NULL while all do */
};

/* Random options and a random character, chosen by the seed. */
void simulation_init(struct simulation *simulation, uint64_t seed);

/* Goes on for n_steps events, or until the time, or until an invariant is violated. */
void simulation_run(struct simulation *simulation, unsigned n_steps, uint64_t until);

/* Nothing goes wrong any more, and no client comes. */
void simulation_calm_down(struct simulation *simulation);

/* So many sessions, for ever; see is_steady. Drops what else was on its way. */
void simulation_hold_load(struct simulation *simulation, unsigned n_clients);

/* Options, state and the violation, for a person to read. */
void simulation_print(const struct simulation *simulation);

/* Between the two halves of the simulation: simulation.c turns the wheel, simulation_world.c
 * decides what the world is like and what goes wrong in it. */
void simulation_schedule(struct simulation *simulation, enum simulation_event_kind kind,
                         unsigned slot, uint64_t max_usec);
void simulation_exit_if_done(struct simulation *simulation, unsigned slot);
void simulation_kill(struct simulation *simulation, unsigned slot);
void simulation_mishap(struct simulation *simulation);
