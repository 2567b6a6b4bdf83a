/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The places of HTTP's connections: how long each may take, and which one gives way if all are
 * taken and somebody waits. Pure: the time comes from the caller. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACES_MAX 64

/* Clients send their request at once, and it is short; browsers connect in advance, too, and
 * connect again if they were closed. */
#define PLACE_REQUEST_LIMIT_USEC UINT64_C(3000000)

/* From accept to the end: a page takes milliseconds; this is for a slow network. */
#define PLACE_TOTAL_LIMIT_USEC UINT64_C(30000000)

/* What a connection has for its request, and for the answer, before it may have to give way. So 300
 * silent ones hold up a client for a second. */
#define PLACE_REQUEST_GRACE_USEC UINT64_C(200000)
#define PLACE_ANSWER_GRACE_USEC  UINT64_C(1000000)

struct place {
    void *connection;     /* the caller's; NULL: the place is free */
    uint64_t opened_at;   /* CLOCK_MONOTONIC */
    uint64_t answered_at; /* when the request was there; 0: it is not */
    bool is_ended;        /* told to end; it is still there */
};

/* All zero is empty. */
struct places {
    struct place places[PLACES_MAX];
};

/* Returns NULL if there is none. */
struct place *places_take(struct places *places, void *connection, uint64_t now);

void place_answer(struct place *place, uint64_t now);
void place_free(struct place *place);

/* Returns a connection to be ended, which is noted: one that has exceeded a limit; NULL: none. */
struct place *places_expire(struct places *places, uint64_t now);

/* Returns the connection to be ended for another one, which is noted: the oldest that has had its
 * grace, first of those without a request; NULL: none. */
struct place *places_displace(struct places *places, uint64_t now);

/* True if places_displace() would find one. */
bool places_can_displace(const struct places *places, uint64_t now);

/* In how many microseconds one exceeds a limit or, if `is_full` is true and none can be displaced
 * yet, the first one can; UINT64_MAX: never. */
uint64_t places_wait(const struct places *places, bool is_full, uint64_t now);
