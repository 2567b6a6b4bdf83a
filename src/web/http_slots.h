/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Slots for HTTP connections: how long each may take, and which one gives way if all are taken and
 * a client waits. Pure: the caller provides the time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_SLOTS_MAX 64

/* Requests are short and sent at once. Browsers also connect in advance, and connect again if they
 * were disconnected. */
#define HTTP_SLOT_REQUEST_LIMIT_USEC UINT64_C(3000000)

/* From accept to the end: a page takes milliseconds; this is for slow networks. */
#define HTTP_SLOT_TOTAL_LIMIT_USEC UINT64_C(30000000)

/* How long a connection has for its request, and for reading the answer, before it may have to give
 * way. So 300 silent clients delay another one by a second. */
#define HTTP_SLOT_REQUEST_GRACE_USEC UINT64_C(200000)
#define HTTP_SLOT_ANSWER_GRACE_USEC  UINT64_C(1000000)

struct http_slot {
    void *connection;     /* belongs to the caller; NULL: the slot is free */
    uint64_t opened_at;   /* CLOCK_MONOTONIC */
    uint64_t answered_at; /* when the request was complete; 0: it is not */
    bool is_ended;        /* it was told to end, but still exists */
};

/* All zero is empty. */
struct http_slots {
    struct http_slot slots[HTTP_SLOTS_MAX];
};

/* Returns NULL if all are taken. */
struct http_slot *http_slots_take(struct http_slots *slots, void *connection, uint64_t now);

void http_slot_answer(struct http_slot *slot, uint64_t now);
void http_slot_free(struct http_slot *slot);

/* Returns a connection that has exceeded a limit, and marks it as ended; NULL: there is none. */
struct http_slot *http_slots_expire(struct http_slots *slots, uint64_t now);

/* Returns the connection that must give way to another one, and marks it as ended: the oldest whose
 * grace is over, first among those without a request; NULL: there is none. */
struct http_slot *http_slots_displace(struct http_slots *slots, uint64_t now);

/* Whether http_slots_displace() would find one. */
bool http_slots_can_displace(const struct http_slots *slots, uint64_t now);

/* In how many microseconds a connection exceeds a limit or, if `is_full` and none can be displaced
 * yet, the first one can be; UINT64_MAX: never. */
uint64_t http_slots_wait(const struct http_slots *slots, bool is_full, uint64_t now);
