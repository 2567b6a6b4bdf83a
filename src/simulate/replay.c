/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "simulate/replay_internal.h"

#include "base/time.h"
#include "statistics/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* If the recording has no start, or no end, of a worker. */
#define START_USEC (20 * USEC_PER_MSEC)
#define EXIT_USEC  (5 * USEC_PER_MSEC)

/* How many exits are looked at for one that was a retirement; there may be few of those. */
#define EXITS_LOOK 64

/* Moments of a replay: more than a ring of RECORDS_READ_MAX records leads to, unless its times or
 * its limits are absurd. */
#define MOMENTS_MAX 50000000

static void add_happening(struct replay *replay, enum happening_kind kind, unsigned slot,
                          uint32_t connection, uint64_t in_usec)
{
    const struct happening happening = {.at = replay->now + in_usec,
                                        .kind = kind,
                                        .slot = (uint16_t)slot,
                                        .connection = connection};
    int r = happenings_add(&replay->happenings, happening);

    if (r < 0)
        replay->error = r;
}

/* Workers */

/* Up to now there were so many workers. */
static void count_workers(struct replay *replay)
{
    course_add_workers(&replay->course, pool_total(replay->pool), replay->counted_at, replay->now);
    replay->counted_at = replay->now;
}

/* Until the next moment they have so much memory. */
static void count_memory(struct replay *replay, uint64_t until)
{
    if (replay->memory.n_samples > 0)
        course_add_memory(&replay->course, memory_of_pool(&replay->memory, replay->pool),
                          replay->now, until);
}

static uint64_t next_start_usec(struct replay *replay)
{
    const struct recorded_service *service = replay->service;

    if (service->n_starts == 0)
        return START_USEC;
    return service->starts[replay->next_start++ % service->n_starts].facts.usec;
}

static uint64_t next_exit_usec(struct replay *replay)
{
    const struct recorded_service *service = replay->service;

    for (size_t i = 0; i < service->n_exits && i < EXITS_LOOK; i++) {
        const struct record_worker *facts =
            &service->exits[replay->next_exit++ % service->n_exits].facts;

        if (facts->reason != REASON_NONE) {
            replay->last_exit_usec = facts->exit_usec;
            break;
        }
    }
    return replay->last_exit_usec;
}

static void start_worker(struct replay *replay, unsigned slot)
{
    count_workers(replay);
    pool_worker_started(replay->pool, slot, replay->now);
    replay->course.n_started += replay->now >= replay->course.from;
    add_happening(replay, HAPPENING_READY, slot, REPLAY_NOBODY, next_start_usec(replay));
}

static void exit_if_done(struct replay *replay, unsigned slot)
{
    const struct pool_worker *worker = &replay->pool->workers[slot];

    if (worker->state == POOL_WORKER_DRAINING && pool_worker_load(worker) == 0)
        add_happening(replay, HAPPENING_EXITED, slot, REPLAY_NOBODY, next_exit_usec(replay));
}

static void retire(struct replay *replay, const struct decision *decision)
{
    if (decision->reason == REASON_AGE || decision->reason == REASON_USE)
        pool_expiry_begun(replay->pool, replay->now);
    if (replay->now >= replay->course.from)
        replay->course.n_retired[decision->reason]++;
    pool_worker_draining(replay->pool, decision->slot, replay->now);
    exit_if_done(replay, decision->slot);
}

/* Connections */

/* Of a client that left, or was rejected, in reality, nobody knows how long it would have stayed:
 * as long as the one that came before it. */
static uint64_t session_usec(struct replay *replay, uint32_t connection)
{
    const struct record_connection *facts = replay_facts(replay, connection);

    if (facts->was_handed)
        replay->last_session_usec = facts->session_usec;
    return replay->last_session_usec;
}

static void hand_off(struct replay *replay, unsigned slot)
{
    uint32_t connection = replay_queue_take(replay, &replay->waiting);
    struct replayed *replayed = &replay->connections[connection];
    uint64_t queued = replayed->accepted_at - replay_arrival(replay, connection);

    replayed->place = REPLAYED_DONE;
    pool_waiting_ended(replay->pool);
    pool_handoff_begun(replay->pool, slot);
    pool_handoff_acknowledged(replay->pool, slot);
    if (replay_arrival(replay, connection) >= replay->course.from) {
        replay->course.n_served++;
        if (course_add_wait(&replay->course, queued + replay->now - replayed->waiting_since) < 0)
            replay->error = -ENOMEM;
    }
    add_happening(replay, HAPPENING_SESSION_ENDED, slot, connection, replayed->session_usec);
}

static void begin_to_wait(struct replay *replay, uint32_t connection)
{
    if (!replay_admits(replay, connection))
        return;
    replay->connections[connection].waiting_since = replay->now;
    replay->connections[connection].place = REPLAYED_WAITING;
    replay_queue_put(replay, &replay->waiting, connection);
    pool_waiting_begun(replay->pool);
}

/* Returns false if none is accepted. */
static bool accept_one(struct replay *replay)
{
    if (replay_queue_first(replay, &replay->backlog) == REPLAY_NOBODY ||
        policy_may_accept(replay->pool, &replay->options, replay->now) != ACCEPT_YES)
        return false;
    uint32_t connection = replay_queue_take(replay, &replay->backlog);
    replay->connections[connection].accepted_at = replay->now;
    if (replay_facts(replay, connection)->checked_usec > 0) {
        replay->connections[connection].place = REPLAYED_CHECKING;
        pool_checking_begun(replay->pool);
        add_happening(replay, HAPPENING_CHECKED, 0, connection,
                      replay_facts(replay, connection)->checked_usec);
    } else {
        begin_to_wait(replay, connection);
    }
    return true;
}

/* Deciding */

static bool carry_out(struct replay *replay, const struct decision *decision)
{
    switch (decision->kind) {
    case DECISION_HAND_OFF:
        hand_off(replay, decision->slot);
        return true;
    case DECISION_START:
        start_worker(replay, decision->slot);
        return true;
    case DECISION_RETIRE:
        retire(replay, decision);
        return true;
    case DECISION_WAIT:
        break;
    }
    return false;
}

/* As the daemon does after each change. Returns when to look again. */
static uint64_t settle(struct replay *replay)
{
    struct decision decision;

    do
        decision = policy_decide(replay->pool, &replay->options, replay->now);
    while (replay->error == 0 && (carry_out(replay, &decision) || accept_one(replay)));
    return decision.until;
}

static void handle(struct replay *replay, const struct happening *happening)
{
    switch (happening->kind) {
    case HAPPENING_CHECKED:
        if (replay->connections[happening->connection].place == REPLAYED_DONE)
            break;
        pool_checking_ended(replay->pool);
        begin_to_wait(replay, happening->connection);
        break;
    case HAPPENING_PATIENCE_ENDED:
        replay_leave(replay, happening->connection);
        break;
    case HAPPENING_SESSION_ENDED:
        pool_connection_ended(replay->pool, happening->slot, replay->now);
        replay_forget(replay, happening->connection);
        exit_if_done(replay, happening->slot);
        break;
    case HAPPENING_READY:
        pool_worker_ready(replay->pool, happening->slot, replay->options.max_conns, replay->now);
        break;
    case HAPPENING_EXITED:
        count_workers(replay);
        (void)pool_worker_exited(replay->pool, happening->slot, replay->now);
        break;
    }
}

static void arrive(struct replay *replay)
{
    uint32_t connection = (uint32_t)replay->n_arrived++;
    uint64_t patience = replay_patience(replay_facts(replay, connection));

    replay->course.n_arrived += replay_arrival(replay, connection) >= replay->course.from;
    replay->connections[connection].session_usec = session_usec(replay, connection);
    replay_queue_put(replay, &replay->backlog, connection);
    if (patience < UINT64_MAX)
        add_happening(replay, HAPPENING_PATIENCE_ENDED, 0, connection, patience);
}

/* Settings */

static void use_options(struct replay *replay, const struct record_options *recorded)
{
    const struct record_options *options = &replay->effective.options;

    replay->effective = settings_apply(replay->settings, replay->service->name, recorded);
    replay->options = POOL_OPTIONS_OF(options, options->max_life_sec, options->max_idle_sec);
    pool_limit_conns(replay->pool, replay->options.max_conns);
}

/* The workers that there were when the recording began. */
static void start_with(struct replay *replay)
{
    const struct recorded_service *service = replay->service;
    unsigned n = service->n_pools > 0 ? service->pools[0].pool.n_ready : 0;

    for (unsigned slot = 0; slot < n && slot < replay->options.max_procs; slot++) {
        pool_worker_started(replay->pool, slot, replay->now);
        pool_worker_ready(replay->pool, slot, replay->options.max_conns, replay->now);
    }
}

/* Time */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_moment(const struct replay *replay, uint64_t wake_at)
{
    const struct recorded_service *service = replay->service;
    const struct happening *first = happenings_first(&replay->happenings);
    uint64_t next = first ? earlier(wake_at, first->at) : wake_at;

    if (replay->n_arrived < service->n_connections)
        next = earlier(next, service->connections[replay->n_arrived].at);
    if (replay->next_options < service->n_options)
        next = earlier(next, service->options[replay->next_options].at);
    return next > replay->now ? next : replay->now;
}

static void happen(struct replay *replay)
{
    const struct recorded_service *service = replay->service;

    while (replay->next_options < service->n_options &&
           service->options[replay->next_options].at <= replay->now)
        use_options(replay, &service->options[replay->next_options++].options);
    while (happenings_first(&replay->happenings) &&
           happenings_first(&replay->happenings)->at <= replay->now) {
        const struct happening happening = happenings_take(&replay->happenings);

        handle(replay, &happening);
    }
    while (replay->n_arrived < service->n_connections &&
           service->connections[replay->n_arrived].at <= replay->now)
        arrive(replay);
}

static void run(struct replay *replay)
{
    const struct recorded_service *service = replay->service;

    replay->now = replay->recording->from;
    if (service->n_connections > 0)
        replay->now = earlier(replay->now, service->connections[0].at);
    replay->counted_at = replay->now;
    use_options(replay, &service->options[0].options);
    start_with(replay);
    for (unsigned i = 0; replay->error == 0; i++) {
        if (i == MOMENTS_MAX)
            replay->error = -E2BIG;
        happen(replay);
        uint64_t next = next_moment(replay, settle(replay));

        count_memory(replay, next);
        if (next > replay->recording->to)
            break;
        replay->now = next;
    }
    replay->now = replay->recording->to;
    count_workers(replay);
}

static int init(struct replay *replay)
{
    static const struct siphash_key key; /* the addresses are hashes already */

    replay->backlog.first = replay->waiting.first = REPLAY_NOBODY;
    replay->course = course_init(replay->recording->from, replay->recording->to);
    replay->pool = calloc(1, sizeof(*replay->pool));
    replay->connections = calloc(replay->service->n_connections + 1, sizeof(*replay->connections));
    int r = addresses_init(&replay->addresses, &key);
    if (r == 0)
        r = throttle_new(THROTTLE_KEYS_MAX, &key, &replay->throttle);
    return replay->pool && replay->connections ? r : -ENOMEM;
}

int replay(const struct recording *recording, const struct recorded_service *service,
           const struct settings *settings, struct course *ret)
{
    struct replay replay = {.recording = recording,
                            .service = service,
                            .settings = settings,
                            .memory = memory_model_of(service),
                            .last_exit_usec = EXIT_USEC};
    int r = init(&replay);

    if (r == 0) {
        run(&replay);
        r = replay.error;
    }
    free(replay.pool);
    free(replay.connections);
    addresses_clear(&replay.addresses);
    throttle_free(replay.throttle);
    happenings_clear(&replay.happenings);
    if (r < 0) {
        course_clear(&replay.course);
        return r;
    }
    course_finish(&replay.course);
    *ret = replay.course;
    return 0;
}
