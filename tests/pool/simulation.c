/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "pool/simulation.h"

#include "base/time.h"
#include "pool/reference.h"

/* Clients come while no more than so many are on their way to a worker. */
#define CLIENTS_MAX 40

/* More decisions than the largest simulated pool can need at one moment. */
#define DECISIONS_MAX 400

/* Wake-ups in a row that change nothing: each of the six workers has three moments at most. */
#define IDLE_WAKE_UPS_MAX 24

static uint64_t pick(struct simulation *simulation, uint64_t min, uint64_t max)
{
    return random_between(&simulation->random, min, max);
}

static bool happens(struct simulation *simulation, unsigned percent)
{
    return pick(simulation, 1, 100) <= percent;
}

static void violate(struct simulation *simulation, const char *violation)
{
    if (!simulation->violation)
        simulation->violation = violation;
}

static struct pool_worker *worker_in(struct simulation *simulation, unsigned slot)
{
    return &simulation->pool.workers[slot];
}

/* At a random moment up to max_usec from now. */
void simulation_schedule(struct simulation *simulation, enum simulation_event_kind kind,
                         unsigned slot, uint64_t max_usec)
{
    if (simulation->n_events == SIMULATION_EVENTS_MAX) {
        violate(simulation, "the simulation has room for its events");
        return;
    }
    simulation->events[simulation->n_events++] =
        (struct simulation_event){.kind = kind,
                                  .at = simulation->now + pick(simulation, 0, max_usec),
                                  .slot = slot,
                                  .start_number = worker_in(simulation, slot)->start_number};
}

static unsigned first_event(const struct simulation *simulation)
{
    unsigned first = 0;

    for (unsigned i = 1; i < simulation->n_events; i++)
        if (simulation->events[i].at < simulation->events[first].at)
            first = i;
    return first;
}

static bool means_nothing(struct simulation *simulation, const struct simulation_event *event)
{
    return event->kind != EVENT_ARRIVAL && event->kind != EVENT_CHECKED &&
           event->kind != EVENT_MISHAP && event->kind != EVENT_PASSED_ON_ENDED &&
           (worker_in(simulation, event->slot)->state == POOL_WORKER_NONE ||
            worker_in(simulation, event->slot)->start_number != event->start_number);
}

void simulation_exit_if_done(struct simulation *simulation, unsigned slot)
{
    const struct pool_worker *worker = worker_in(simulation, slot);

    if (worker->state == POOL_WORKER_DRAINING && pool_worker_load(worker) == 0)
        simulation_schedule(simulation, EVENT_EXITED, slot, 100 * USEC_PER_MSEC);
}

static void exit_worker(struct simulation *simulation, unsigned slot)
{
    simulation->observed.is_draining_by_choice[slot] = false;
    pool_worker_exited(&simulation->pool, slot, simulation->now);
}

static void pass_on(struct simulation *simulation, unsigned slot)
{
    pool_connection_passed_on(&simulation->pool, slot, simulation->now);
    simulation_schedule(simulation, EVENT_PASSED_ON_ENDED, 0,
                        simulation->character.session_max_usec);
}

void simulation_kill(struct simulation *simulation, unsigned slot)
{
    struct pool_worker *worker = worker_in(simulation, slot);

    while (worker->n_handoffs > 0) {
        pool_handoff_returned(&simulation->pool, slot, simulation->now);
        pool_waiting_begun(&simulation->pool);
    }
    while (worker->n_active > 0)
        if (happens(simulation, simulation->character.passed_on_percent))
            pass_on(simulation, slot);
        else
            pool_connection_ended(&simulation->pool, slot, simulation->now);
    exit_worker(simulation, slot);
}

static void start_worker(struct simulation *simulation, unsigned slot)
{
    const struct simulation_character *character = &simulation->character;
    bool fails = happens(simulation, character->start_fails_percent);

    if (fails && happens(simulation, 20)) {
        pool_start_failed(&simulation->pool, simulation->now);
        return;
    }
    pool_worker_started(&simulation->pool, slot, simulation->now);
    simulation_schedule(simulation, fails ? EVENT_START_FAILED : EVENT_READY, slot,
                        character->start_max_usec);
}

static void hand_off(struct simulation *simulation, unsigned slot)
{
    pool_waiting_ended(&simulation->pool);
    pool_handoff_begun(&simulation->pool, slot);
    simulation_schedule(simulation, EVENT_HANDOFF_ENDED, slot, simulation->character.ack_max_usec);
}

static void retire(struct simulation *simulation, const struct decision *decision)
{
    struct observations *observed = &simulation->observed;

    if (decision->reason == REASON_AGE || decision->reason == REASON_USE) {
        pool_expiry_begun(&simulation->pool, simulation->now);
        observed->last_expiry_at = simulation->now;
    }
    if (decision->reason == REASON_IDLE)
        observed->has_idle_retirement = true;
    observed->is_draining_by_choice[decision->slot] = decision->reason != REASON_STOPPING;
    pool_worker_draining(&simulation->pool, decision->slot, simulation->now);
    simulation_exit_if_done(simulation, decision->slot);
}

static void carry_out(struct simulation *simulation, const struct decision *decision)
{
    simulation->n_decisions[decision->kind]++;
    switch (decision->kind) {
    case DECISION_HAND_OFF:
        hand_off(simulation, decision->slot);
        break;
    case DECISION_START:
        start_worker(simulation, decision->slot);
        break;
    case DECISION_RETIRE:
        retire(simulation, decision);
        break;
    case DECISION_WAIT:
        break;
    }
}

static void check_pool(struct simulation *simulation)
{
    violate(simulation,
            invariants_of_pool(&simulation->pool, &simulation->options, &simulation->observed));
}

static struct decision ask(struct simulation *simulation)
{
    struct decision first = policy_decide(&simulation->pool, &simulation->options, simulation->now);
    struct decision second =
        policy_decide(&simulation->pool, &simulation->options, simulation->now);

    if (first.kind != second.kind || first.reason != second.reason || first.slot != second.slot ||
        first.until != second.until)
        violate(simulation, "the same question has the same answer");
    violate(simulation, invariants_of_decision(&simulation->pool, &simulation->options,
                                               &simulation->observed, simulation->now, &first));
    violate(simulation,
            reference_compare(&simulation->pool, &simulation->options, simulation->now));
    return first;
}

/* Takes one client from the backlog where that is allowed. */
static bool accept_one(struct simulation *simulation)
{
    enum accept_verdict verdict =
        policy_may_accept(&simulation->pool, &simulation->options, simulation->now);

    violate(simulation, invariants_of_acceptance(&simulation->pool, &simulation->options,
                                                 simulation->now, verdict));
    if (verdict != ACCEPT_YES || simulation->n_backlog == 0)
        return false;
    simulation->n_backlog--;
    if (simulation->character.check_max_usec == 0) {
        pool_waiting_begun(&simulation->pool);
    } else {
        pool_checking_begun(&simulation->pool);
        simulation_schedule(simulation, EVENT_CHECKED, 0, simulation->character.check_max_usec);
    }
    return true;
}

/* As the daemon does after each change: decide and accept until there is nothing left to do.
 * Returns how many times something was done. */
static unsigned settle(struct simulation *simulation, uint64_t *ret_until)
{
    unsigned n_done = 0;

    simulation->observed.has_idle_retirement = false;
    for (; !simulation->violation; n_done++) {
        if (n_done > DECISIONS_MAX) {
            violate(simulation, "decisions come to an end");
            break;
        }
        struct decision decision = ask(simulation);
        *ret_until = decision.until;
        if (simulation->violation)
            break;
        if (decision.kind == DECISION_WAIT && !accept_one(simulation))
            break;
        carry_out(simulation, &decision);
        check_pool(simulation);
    }
    return n_done;
}

static void put_off(struct simulation *simulation, unsigned slot)
{
    pool_handoff_returned(&simulation->pool, slot, simulation->now);
    pool_waiting_begun(&simulation->pool);
    if (worker_in(simulation, slot)->state != POOL_WORKER_READY)
        return;
    pool_worker_puts_off(&simulation->pool, slot);
    simulation_schedule(simulation, EVENT_RESTED, slot, 100 * USEC_PER_MSEC);
}

static void end_handoff(struct simulation *simulation, unsigned slot)
{
    if (happens(simulation, simulation->character.put_off_percent)) {
        put_off(simulation, slot);
    } else if (happens(simulation, simulation->character.refused_percent)) {
        pool_handoff_returned(&simulation->pool, slot, simulation->now);
        pool_waiting_begun(&simulation->pool);
    } else {
        pool_handoff_acknowledged(&simulation->pool, slot);
        simulation_schedule(simulation, EVENT_SESSION_ENDED, slot,
                            simulation->character.session_max_usec);
    }
    simulation_exit_if_done(simulation, slot);
}

static void end_session(struct simulation *simulation, unsigned slot)
{
    if (simulation->character.is_steady) {
        if (simulation->n_away > 0) {
            simulation_schedule(simulation, EVENT_SESSION_ENDED, slot,
                                simulation->character.session_max_usec);
            return;
        }
        simulation->n_away++;
        simulation_schedule(simulation, EVENT_ARRIVAL, 0, simulation->character.arrival_max_usec);
    }
    if (happens(simulation, simulation->character.passed_on_percent))
        pass_on(simulation, slot);
    else
        pool_connection_ended(&simulation->pool, slot, simulation->now);
    simulation_exit_if_done(simulation, slot);
}

static void arrive(struct simulation *simulation)
{
    if (simulation->character.is_steady) {
        simulation->n_away--;
        simulation->n_backlog++;
        return;
    }
    if (simulation->n_backlog + simulation->pool.n_checking + simulation->pool.n_waiting <
        CLIENTS_MAX)
        simulation->n_backlog += (unsigned)pick(simulation, 1, simulation->character.burst_max);
    simulation_schedule(simulation, EVENT_ARRIVAL, 0, simulation->character.arrival_max_usec);
}

static void end_check(struct simulation *simulation)
{
    pool_checking_ended(&simulation->pool);
    if (!happens(simulation, 20))
        pool_waiting_begun(&simulation->pool);
}

static void be_ready(struct simulation *simulation, unsigned slot)
{
    unsigned max_conns = simulation->options.max_conns;

    if (worker_in(simulation, slot)->state != POOL_WORKER_STARTING)
        return;
    if (happens(simulation, simulation->character.few_threads_percent))
        max_conns = (unsigned)pick(simulation, 1, max_conns);
    pool_worker_ready(&simulation->pool, slot, max_conns, simulation->now);
}

static void handle(struct simulation *simulation, const struct simulation_event *event)
{
    if (means_nothing(simulation, event))
        return;
    switch (event->kind) {
    case EVENT_ARRIVAL:
        arrive(simulation);
        break;
    case EVENT_CHECKED:
        end_check(simulation);
        break;
    case EVENT_READY:
        be_ready(simulation, event->slot);
        break;
    case EVENT_START_FAILED:
    case EVENT_EXITED:
        exit_worker(simulation, event->slot);
        break;
    case EVENT_HANDOFF_ENDED:
        end_handoff(simulation, event->slot);
        break;
    case EVENT_SESSION_ENDED:
        end_session(simulation, event->slot);
        break;
    case EVENT_PASSED_ON_ENDED:
        pool_passed_on_ended(&simulation->pool);
        break;
    case EVENT_RESTED:
        pool_worker_blocked(&simulation->pool, event->slot, false);
        break;
    case EVENT_MISHAP:
        simulation_mishap(simulation);
        if (simulation->character.mishap_max_usec > 0)
            simulation_schedule(simulation, EVENT_MISHAP, 0, simulation->character.mishap_max_usec);
        break;
    }
}

/* Whoever waits until `until` or the next change misses nothing in between. */
static void check_nothing_is_missed(struct simulation *simulation, uint64_t from, uint64_t to)
{
    struct decision decision;

    if (to <= from)
        return;
    decision = policy_decide(&simulation->pool, &simulation->options, pick(simulation, from, to));
    if (decision.kind != DECISION_WAIT)
        violate(simulation, "nothing becomes due before `until`");
    decision = policy_decide(&simulation->pool, &simulation->options, to);
    if (decision.kind != DECISION_WAIT)
        violate(simulation, "nothing becomes due before `until`, not even just before");
}

void simulation_run(struct simulation *simulation, unsigned n_steps, uint64_t until)
{
    uint64_t wake_at = simulation->now;
    unsigned n_idle_wake_ups = 0;

    settle(simulation, &wake_at);
    for (unsigned i = 0; i < n_steps && !simulation->violation; i++) {
        unsigned first = first_event(simulation);
        bool has_event = simulation->n_events > 0 && simulation->events[first].at <= wake_at;
        uint64_t next = has_event ? simulation->events[first].at : wake_at;

        if (next > until) {
            check_nothing_is_missed(simulation, simulation->now, until);
            simulation->now = until;
            return;
        }
        check_nothing_is_missed(simulation, simulation->now, next - 1);
        simulation->now = next;
        if (has_event) {
            struct simulation_event event = simulation->events[first];

            simulation->events[first] = simulation->events[--simulation->n_events];
            handle(simulation, &event);
            check_pool(simulation);
            settle(simulation, &wake_at);
            n_idle_wake_ups = 0;
        } else if (settle(simulation, &wake_at) > 0) {
            n_idle_wake_ups = 0;
        } else if (++n_idle_wake_ups > IDLE_WAKE_UPS_MAX) {
            violate(simulation, "needless wake-ups come to an end");
        }
    }
}
