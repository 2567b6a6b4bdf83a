/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Histories of several hosts and a store in simulated time, against what dispatcher.cnf(5) states
 * of FLEET: nobody is rejected below a limit, whatever happens to the store; and above it is
 * admitted what comes before the hosts can know. */
#include "support/random.h"
#include "support/suite.h"

#include "base/macro.h"
#include "base/time.h"
#include "dispatcherd/fleet/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTS_MAX    4
#define KEYS         3
#define FULL_MAX     16
#define ARRIVALS_MAX 400
#define FLIGHTS_MAX  (HOSTS_MAX * FLEET_BATCHES * 4)
#define LATENCY_MAX  (2 * USEC_PER_MSEC)
#define DEADLINE     (50 * USEC_PER_MSEC)

/* CLOCK_MONOTONIC and the store's clock at the begin; a whole minute. */
#define START       (1000 * USEC_PER_SEC)
#define STORE_START (UINT64_C(30000000) * THROTTLE_WINDOW_USEC)

/* A count waits for a batch here and one there, and goes three ways. */
#define BOUND (2 * FLEET_BATCH_USEC + 3 * LATENCY_MAX + 2 * USEC_PER_MSEC)

struct host {
    struct throttle *throttle;
    struct fleet_ledger *ledger;
    bool is_up;
    unsigned connection; /* its number; answers of others are lost */
    uint64_t last_at[2]; /* when the last message arrives, of each way */
    uint64_t retry_at;
};

/* What the store has in one window of a key. */
struct counts {
    uint64_t window;
    uint32_t of[HOSTS_MAX];
};

struct flight {
    bool is_used, is_answer;
    unsigned host, connection;
    uint64_t at;
    /* Of a batch. */
    uint64_t window;
    uint32_t n_known;
    size_t n_items;
    struct fleet_item items[KEYS];
    /* Of an answer, with the batch's number of items. */
    uint64_t store_usec, active_sec;
    unsigned epoch;
    uint32_t n_full, full[FULL_MAX], own[KEYS], others[KEYS];
};

struct arrival {
    uint64_t at;
    unsigned host, key;
};

static struct {
    struct random_source random;
    uint64_t now;
    unsigned n_hosts;
    struct host hosts[HOSTS_MAX];
    enum throttle_kind kind;
    uint32_t rate;
    /* The store. */
    struct counts counts[KEYS];
    uint64_t full_window;
    uint32_t n_full, full[FULL_MAX];
    unsigned epoch;
    uint64_t active_sec;
    bool is_stopped;
    uint64_t clock_step;
    /* What has happened. */
    struct flight flights[FLIGHTS_MAX];
    struct arrival arrivals[ARRIVALS_MAX];
    unsigned n_arrivals;
    uint64_t full_at[KEYS]; /* when the rate was reached in the present window; 0: it was not */
    struct throttle *reference;
} sim;

static const struct siphash_key secret = {{1, 2}};

static uint64_t between(uint64_t min, uint64_t max)
{
    return random_between(&sim.random, min, max);
}

static struct address address_of(unsigned key)
{
    return (struct address){.family = AF_INET, .bytes = {192, 0, 2, (uint8_t)(key + 1)}};
}

static uint64_t store_usec(void)
{
    return STORE_START + (sim.now - START) + sim.clock_step;
}

static unsigned key_number(const struct throttle_key *key)
{
    return key->source.prefix[3] - 1u;
}

/* The network */

static struct flight *launch(unsigned number, bool is_answer)
{
    struct host *host = &sim.hosts[number];
    struct flight *flight = sim.flights;

    while (flight < sim.flights + FLIGHTS_MAX && flight->is_used)
        flight++;
    ck_assert(flight < sim.flights + FLIGHTS_MAX);
    flight->is_used = true;
    flight->is_answer = is_answer;
    flight->host = number;
    flight->connection = host->connection;
    flight->at = sim.now + between(1, LATENCY_MAX);
    if (flight->at <= host->last_at[is_answer])
        flight->at = host->last_at[is_answer] + 1;
    host->last_at[is_answer] = flight->at;
    return flight;
}

static void send_batch(unsigned number)
{
    const struct fleet_batch *batch = fleet_ledger_send(sim.hosts[number].ledger, sim.now);
    struct flight *flight = launch(number, false);

    ck_assert_uint_le(batch->n_items, KEYS);
    flight->window = batch->window;
    flight->n_known = batch->n_full;
    flight->n_items = batch->n_items;
    memcpy(flight->items, batch->items, batch->n_items * sizeof(batch->items[0]));
}

static void break_link(unsigned number)
{
    struct host *host = &sim.hosts[number];

    host->is_up = false;
    host->connection++;
    host->last_at[0] = host->last_at[1] = 0;
    host->retry_at = sim.now + between(200, 400) * USEC_PER_MSEC;
    fleet_ledger_end(host->ledger);
}

/* The store does what the script says, which tests/system/test_fleet.py tries on a real one. */

static uint32_t set_count(const struct fleet_item *item, uint64_t window, unsigned host,
                          uint32_t *ret_others)
{
    struct counts *counts = &sim.counts[key_number(&item->key)];
    uint32_t others = 0;

    if (counts->window != window)
        *counts = (struct counts){.window = window};
    for (unsigned i = 0; i < sim.n_hosts; i++)
        others += i == host ? 0 : counts->of[i];
    uint32_t before = counts->of[host];
    if (item->own > before) {
        counts->of[host] = item->own;
        if (others + before < sim.rate && others + item->own >= sim.rate && sim.n_full < FULL_MAX &&
            window == sim.full_window)
            sim.full[sim.n_full++] = key_number(&item->key);
    }
    *ret_others = others;
    return before;
}

static void answer_batch(const struct flight *request)
{
    struct flight answer = *request;

    if (request->n_items > 0)
        sim.active_sec = store_usec() / USEC_PER_SEC;
    if (sim.full_window != request->window) {
        sim.full_window = request->window;
        sim.n_full = 0;
    }
    for (size_t i = 0; i < request->n_items; i++)
        answer.own[i] =
            set_count(&request->items[i], request->window, request->host, &answer.others[i]);
    if (request->connection != sim.hosts[request->host].connection)
        return;
    struct flight *flight = launch(request->host, true);
    answer.at = flight->at;
    answer.is_used = answer.is_answer = true;
    answer.store_usec = store_usec();
    answer.active_sec = sim.active_sec;
    answer.epoch = sim.epoch;
    answer.n_full = sim.n_full;
    memcpy(answer.full, sim.full, sizeof(answer.full));
    *flight = answer;
}

static void take_answer(struct fleet_ledger *ledger, const struct flight *flight)
{
    static struct fleet_answer answer;

    answer.store_usec = flight->store_usec;
    answer.active_sec = flight->active_sec;
    snprintf(answer.epoch, sizeof(answer.epoch), "%u", flight->epoch);
    answer.n_full = flight->n_full;
    answer.n_full_keys = 0;
    for (uint32_t i = flight->n_known > flight->n_full ? 0 : flight->n_known; i < flight->n_full;
         i++) {
        struct throttle_key key = {.max_rate = sim.rate, .kind = sim.kind};
        struct address address = address_of(flight->full[i]);

        ck_assert(source_of(&address, &key.source));
        answer.full[answer.n_full_keys].key = key;
        answer.full[answer.n_full_keys].window = flight->window;
        answer.full[answer.n_full_keys++].total = sim.rate;
    }
    answer.n_sums = flight->n_items;
    for (size_t i = 0; i < flight->n_items; i++) {
        answer.sums[i].own = flight->own[i];
        answer.sums[i].others = flight->others[i];
    }
    ck_assert(fleet_ledger_answer(ledger, &answer, sim.now));
}

static void land(struct flight *flight)
{
    struct host *host = &sim.hosts[flight->host];
    const struct flight landed = *flight;

    flight->is_used = false;
    if (!landed.is_answer)
        answer_batch(&landed);
    else if (host->is_up && landed.connection == host->connection)
        take_answer(host->ledger, &landed);
}

/* Clients */

static unsigned arrivals_since(unsigned key, uint64_t at)
{
    unsigned n = 0;

    for (unsigned i = 0; i < sim.n_arrivals; i++)
        n += sim.arrivals[i].key == key && sim.arrivals[i].at > at;
    return n;
}

/* Returns whether the client is rejected. */
static bool arrive(unsigned number, unsigned key)
{
    struct host *host = &sim.hosts[number];
    struct address address = address_of(key);
    struct throttle_view view;

    ck_assert_uint_lt(sim.n_arrivals, ARRIVALS_MAX);
    sim.arrivals[sim.n_arrivals++] = (struct arrival){sim.now, number, key};
    bool is_over = throttle_count(host->throttle, sim.kind, &address, sim.rate, sim.now, &view);
    bool is_rightly = throttle_is_over(sim.reference, sim.kind, &address, sim.rate, sim.now);
    fleet_ledger_owe(host->ledger, view.number);
    if (is_over && sim.kind == THROTTLE_PLAIN)
        ck_assert_msg(arrivals_since(key, sim.now - THROTTLE_WINDOW_USEC - THROTTLE_SHIFT_USEC) >
                          sim.rate,
                      "rejected below the limit");
    if (is_over && sim.clock_step == 0)
        ck_assert_msg(is_rightly, "rejected, but one table for all hosts would not");
    if (is_rightly && sim.full_at[key] == 0)
        sim.full_at[key] = sim.now;
    return is_over;
}

/* Time */

static uint64_t next_event(void)
{
    uint64_t next = USEC_INFINITY;

    for (unsigned i = 0; i < sim.n_hosts; i++) {
        const struct host *host = &sim.hosts[i];
        uint64_t due = host->is_up ? fleet_ledger_due(host->ledger) : host->retry_at;

        if (host->is_up && fleet_ledger_oldest(host->ledger) &&
            fleet_ledger_oldest(host->ledger)->sent_at + DEADLINE < due)
            due = fleet_ledger_oldest(host->ledger)->sent_at + DEADLINE;
        next = due < next ? due : next;
    }
    for (struct flight *flight = sim.flights; flight < sim.flights + FLIGHTS_MAX; flight++)
        if (flight->is_used && !(sim.is_stopped && !flight->is_answer) && flight->at < next)
            next = flight->at;
    return next;
}

static struct flight *first_flight(void)
{
    struct flight *first = NULL;

    for (struct flight *flight = sim.flights; flight < sim.flights + FLIGHTS_MAX; flight++)
        if (flight->is_used && flight->at <= sim.now && !(sim.is_stopped && !flight->is_answer) &&
            (!first || flight->at < first->at))
            first = flight;
    return first;
}

static void run_until(uint64_t until)
{
    for (uint64_t next; (next = next_event()) <= until;) {
        struct flight *flight;

        sim.now = next > sim.now ? next : sim.now;
        while ((flight = first_flight()))
            land(flight);
        for (unsigned i = 0; i < sim.n_hosts; i++) {
            struct host *host = &sim.hosts[i];
            const struct fleet_batch *oldest = fleet_ledger_oldest(host->ledger);

            if (host->is_up && oldest && oldest->sent_at + DEADLINE <= sim.now) {
                break_link(i);
            } else if (!host->is_up && host->retry_at <= sim.now) {
                host->is_up = true;
                fleet_ledger_begin(host->ledger, sim.now);
            } else if (host->is_up && fleet_ledger_due(host->ledger) <= sim.now) {
                send_batch(i);
            }
        }
    }
    sim.now = until;
}

static void begin(struct random_source random, enum throttle_kind kind, uint64_t skew_max)
{
    memset(&sim, 0, sizeof(sim));
    sim.random = random;
    sim.now = START;
    sim.n_hosts = (unsigned)between(2, HOSTS_MAX);
    sim.kind = kind;
    sim.rate = (uint32_t)between(1, 12);
    for (unsigned i = 0; i < sim.n_hosts; i++) {
        struct host *host = &sim.hosts[i];

        ck_assert_int_eq(throttle_new(16, &secret, &host->throttle), 0);
        ck_assert_int_eq(fleet_ledger_new(host->throttle, STORE_START + between(0, skew_max),
                                          sim.now, &host->ledger),
                         0);
        host->is_up = true;
        fleet_ledger_begin(host->ledger, sim.now);
    }
    ck_assert_int_eq(throttle_new(16, &secret, &sim.reference), 0);
    throttle_align(sim.reference, THROTTLE_WINDOW_USEC - START % THROTTLE_WINDOW_USEC);
    sim.now += USEC_PER_SEC;
}

static struct random_source end(void)
{
    for (unsigned i = 0; i < sim.n_hosts; i++) {
        fleet_ledger_free(sim.hosts[i].ledger);
        throttle_free(sim.hosts[i].throttle);
    }
    throttle_free(sim.reference);
    return sim.random;
}

/* Something else goes on all the time, so that the fleet is not quiet. */
static void busy_for(uint64_t usec)
{
    uint64_t until = sim.now + usec;

    while (sim.now < until) {
        uint64_t step = between(1, 300) * USEC_PER_MSEC;

        run_until(sim.now + step < until ? sim.now + step : until);
        (void)arrive((unsigned)between(0, sim.n_hosts - 1), KEYS - 1);
    }
}

/* Bursts and pauses at random hosts. Returns how many were admitted that the hosts could know to be
 * too many. */
static unsigned clients(unsigned n)
{
    unsigned n_late = 0;

    while (n-- > 0) {
        unsigned key = (unsigned)between(0, KEYS - 2),
                 number = (unsigned)between(0, sim.n_hosts - 1);

        run_until(sim.now + (between(0, 3) ? between(0, 2 * USEC_PER_MSEC)
                                           : between(0, 120 * USEC_PER_MSEC)));
        bool was_full = sim.full_at[key] > 0 && sim.now > sim.full_at[key] + BOUND;
        if (!arrive(number, key) && was_full)
            n_late++;
    }
    return n_late;
}

static void next_minute(void)
{
    run_until(sim.now + THROTTLE_WINDOW_USEC - (sim.now - START) % THROTTLE_WINDOW_USEC +
              20 * USEC_PER_MSEC);
    sim.n_arrivals = 0;
    memset(sim.full_at, 0, sizeof(sim.full_at));
}

#define HISTORIES 40

START_TEST(test_admits_no_more_than_what_comes_before_all_can_know)
{
    struct random_source random = random_start();

    for (unsigned i = 0; i < HISTORIES; i++) {
        begin(random, i % 2 ? THROTTLE_PENALTY : THROTTLE_PLAIN, 0);
        busy_for(400 * USEC_PER_MSEC);
        ck_assert_uint_eq(clients(60), 0);
        next_minute();
        busy_for(400 * USEC_PER_MSEC);
        if (sim.kind == THROTTLE_PLAIN)
            ck_assert_uint_eq(clients(40), 0);
        else
            (void)clients(40);
        random = end();
    }
}
END_TEST

static void fault(void)
{
    switch (between(0, 4)) {
    case 0:
        sim.is_stopped = !sim.is_stopped;
        break;
    case 1: /* its data are flushed, or those of a replica are older */
        memset(sim.counts, 0, sizeof(sim.counts));
        sim.n_full = 0;
        sim.epoch += (unsigned)between(0, 1);
        break;
    case 2:
        break_link((unsigned)between(0, sim.n_hosts - 1));
        break;
    case 3: /* all is lost that is under way, at once or a connection later */
        for (struct flight *flight = sim.flights; flight < sim.flights + FLIGHTS_MAX; flight++)
            if (flight->is_used && flight->is_answer)
                flight->is_used = false;
        for (unsigned i = 0; i < sim.n_hosts; i++)
            break_link(i);
        break;
    case 4: /* an old batch comes much later than its connection ended */
        for (struct flight *flight = sim.flights; flight < sim.flights + FLIGHTS_MAX; flight++)
            if (flight->is_used && !flight->is_answer && between(0, 1))
                flight->at += between(1, 300) * USEC_PER_MSEC;
        for (unsigned i = 0; i < sim.n_hosts; i++)
            break_link(i);
        break;
    }
}

START_TEST(test_rejects_nobody_below_the_limit_whatever_happens)
{
    struct random_source random = random_start();

    for (unsigned i = 0; i < HISTORIES; i++) {
        begin(random, i % 2 ? THROTTLE_PENALTY : THROTTLE_PLAIN, 0);
        for (unsigned k = 0; k < 6; k++) {
            (void)clients(10);
            fault();
        }
        sim.is_stopped = false;
        run_until(sim.now + USEC_PER_SEC);
        (void)clients(10);
        /* Within a minute all is right again. */
        next_minute();
        busy_for(400 * USEC_PER_MSEC);
        unsigned n_late = clients(40);
        if (sim.kind == THROTTLE_PLAIN)
            ck_assert_uint_eq(n_late, 0);
        random = end();
    }
}
END_TEST

START_TEST(test_survives_clocks_that_differ_and_jump)
{
    struct random_source random = random_start();

    for (unsigned i = 0; i < HISTORIES; i++) {
        begin(random, THROTTLE_PLAIN, between(0, 1) ? 5 * USEC_PER_SEC : 100 * USEC_PER_MSEC);
        sim.clock_step = 1;
        (void)clients(20);
        sim.clock_step = between(0, 120) * USEC_PER_SEC;
        (void)clients(20);
        run_until(sim.now + between(0, 2 * THROTTLE_WINDOW_USEC));
        (void)clients(20);
        random = end();
    }
}
END_TEST

/* A host that was started anew, without its table, learns what it had counted. */
START_TEST(test_a_count_of_before_is_taken_over)
{
    struct random_source random = random_start();

    begin(random, THROTTLE_PLAIN, 0);
    sim.rate = 3;
    for (unsigned i = 0; i < 3; i++)
        ck_assert(!arrive(0, 0));
    run_until(sim.now + USEC_PER_SEC);
    break_link(0);
    fleet_ledger_free(sim.hosts[0].ledger);
    throttle_free(sim.hosts[0].throttle);
    ck_assert_int_eq(throttle_new(16, &secret, &sim.hosts[0].throttle), 0);
    ck_assert_int_eq(
        fleet_ledger_new(sim.hosts[0].throttle, store_usec(), sim.now, &sim.hosts[0].ledger), 0);
    run_until(sim.now + USEC_PER_SEC);
    ck_assert(arrive(0, 0));
    random = end();
}
END_TEST

/* One fleet that fails all the time, for FLEET_MINUTES of simulated time: 1440 are a day. What it
 * takes in the end is what it took in the beginning. */
START_TEST(test_takes_no_more_memory_the_longer_it_fails)
{
    struct random_source random = random_start();
    const char *text = getenv("FLEET_MINUTES");
    unsigned n_minutes = text ? (unsigned)atoi(text) : 20;

    ck_assert_uint_gt(n_minutes, 1);
    begin(random, THROTTLE_PENALTY, 0);
    for (unsigned i = 0; i < n_minutes; i++) {
        for (unsigned k = 0; k < 8; k++) {
            (void)clients(10);
            fault();
        }
        sim.is_stopped = false;
        next_minute();
    }
    run_until(sim.now + 60 * USEC_PER_SEC);
    for (unsigned i = 0; i < sim.n_hosts; i++) {
        ck_assert_uint_eq(fleet_ledger_n_owed(sim.hosts[i].ledger), 0);
        ck_assert_uint_eq(fleet_ledger_n_left_out(sim.hosts[i].ledger), 0);
        ck_assert_uint_le(throttle_n_keys(sim.hosts[i].throttle), KEYS);
    }
    random = end();
}
END_TEST

/* What the next batch leaves out, no answer decides. */
START_TEST(test_a_count_that_is_not_sent_is_known_as_such)
{
    static struct fleet_answer answer = {.epoch = "1"};
    const uint64_t minute = THROTTLE_WINDOW_USEC;
    uint64_t now = START - START % minute + 10 * USEC_PER_SEC;
    struct address address = {.family = AF_INET, .bytes = {10}};
    struct fleet_ledger *ledger;
    struct throttle *throttle;
    struct throttle_view view;

    /* A window that began before the fleet did, and the common one after it. */
    ck_assert_int_eq(throttle_new(THROTTLE_KEYS_MAX, &secret, &throttle), 0);
    (void)throttle_count(throttle, THROTTLE_PLAIN, &address, 5, now, &view);
    ck_assert_int_eq(fleet_ledger_new(throttle, STORE_START + 30 * USEC_PER_SEC, now + 1, &ledger),
                     0);
    fleet_ledger_begin(ledger, now + 1);
    ck_assert(!fleet_ledger_sends(ledger, view.number, now + 1));
    ck_assert_uint_eq(fleet_ledger_send(ledger, now + 1)->n_items, 0);
    now += minute;
    (void)throttle_count(throttle, THROTTLE_PLAIN, &address, 5, now, &view);
    ck_assert(fleet_ledger_sends(ledger, view.number, now));

    /* As many keys as a window may have, and one more. */
    answer.store_usec = STORE_START + 30 * USEC_PER_SEC + minute;
    ck_assert(fleet_ledger_answer(ledger, &answer, now));
    for (unsigned i = 0; i <= FLEET_KEYS_MAX; i++) {
        address.bytes[1] = (uint8_t)(i >> 16);
        address.bytes[2] = (uint8_t)(i >> 8);
        address.bytes[3] = (uint8_t)i;
        (void)throttle_count(throttle, THROTTLE_PLAIN, &address, 5, now, &view);
        ck_assert(fleet_ledger_sends(ledger, view.number, now) == (i < FLEET_KEYS_MAX));
        fleet_ledger_owe(ledger, view.number);
        answer.n_sums = fleet_ledger_send(ledger, now)->n_items;
        ck_assert_uint_eq(answer.n_sums, i < FLEET_KEYS_MAX);
        ck_assert(fleet_ledger_answer(ledger, &answer, now));
    }
    ck_assert_uint_eq(fleet_ledger_n_left_out(ledger), 1);
    /* It has got number 1. Those before it are in the store; and the next window has room again. */
    ck_assert(fleet_ledger_sends(ledger, view.number + 1, now));
    now += minute;
    (void)throttle_count(throttle, THROTTLE_PLAIN, &address, 5, now, &view);
    ck_assert(fleet_ledger_sends(ledger, view.number, now));
    fleet_ledger_free(ledger);
    throttle_free(throttle);
}
END_TEST

SUITE("ledger", NULL, NULL, test_admits_no_more_than_what_comes_before_all_can_know,
      test_rejects_nobody_below_the_limit_whatever_happens,
      test_survives_clocks_that_differ_and_jump, test_a_count_of_before_is_taken_over,
      test_takes_no_more_memory_the_longer_it_fails, test_a_count_that_is_not_sent_is_known_as_such)
