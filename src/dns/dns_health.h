/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Decides whether a DNS list can be relied on, by its test entries (RFC 5782, 5) and its answers to
 * real queries. A list that contains every address, refuses us, or does not answer is set aside
 * until its test entries are correct. Pure: the caller provides the time, and makes the queries. */
#pragma once

#include "dns/dns_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How often the test entries are queried while the list is in use, and while it is set aside. */
#define DNS_HEALTH_WELL_USEC UINT64_C(300000000)
#define DNS_HEALTH_ILL_USEC  UINT64_C(30000000)

/* How many failures in a row set a list aside: time-outs, refused connections, SERVFAIL, invalid
 * answers. However quickly a query fails, it is a failure. */
#define DNS_HEALTH_FAILURES_MAX 3

/* Every list contains the first, and no list the second. */
#define DNS_HEALTH_LISTED_CLIENT   "2.0.0.127."
#define DNS_HEALTH_UNLISTED_CLIENT "1.0.0.127."

/* A list is too slow if, for this time, more checks than this (a quarter of those that a service
 * may have at once) wait for it, and its last answer took longer than this time, or there was none.
 * To be used again, it must answer its test within this time. */
#define DNS_HEALTH_CROWD     256
#define DNS_HEALTH_SLOW_USEC UINT64_C(1000000)

enum dns_health_state {
    DNS_HEALTH_UNTESTED, /* nothing is known: a "listed" waits for the test */
    DNS_HEALTH_WELL,
    DNS_HEALTH_ILL, /* set aside */
};

/* All zero is untested, and due. */
struct dns_health {
    enum dns_health_state state;
    const char *reason;      /* if ILL: a literal, as in "list NAME is set aside: REASON" */
    uint64_t next_test_usec; /* when the test entries are to be queried */
    uint64_t last_test_usec;
    uint64_t crowd_since_usec; /* since when more than DNS_HEALTH_CROWD checks wait; 0: fewer do */
    uint64_t answered_usec;    /* when the last answer came, and how long it took */
    uint64_t last_took_usec;
    bool is_slow;          /* it was set aside for being slow */
    unsigned n_failures;   /* in a row */
    bool lacks_test_entry; /* 127.0.0.2 is not on the list, which may be empty */
};

/* How a query ended: `error` is 0 with the answer, -ETIMEDOUT, or another negative errno. */
struct dns_health_answer {
    int error;
    enum dns_answer meaning;
    uint64_t took_usec;
};

/* The next two return true if the list was set aside or is used again. `now_usec` is monotonic. */

/* Looks at the checks that wait, when dns_health_crowd_due() says so. */
bool dns_health_look_at_crowd(struct dns_health *health, uint64_t now_usec);

/* A query for a client has ended. */
bool dns_health_note_answer(struct dns_health *health, struct dns_health_answer answer,
                            uint64_t now_usec);

/* This many checks wait for the list now. Returns true if that has become a crowd. */
bool dns_health_note_waiting(struct dns_health *health, size_t n_waiting, uint64_t now_usec);

/* When to call dns_health_look_at_crowd(); UINT64_MAX: there is no crowd. */
uint64_t dns_health_crowd_due(const struct dns_health *health);

/* Other name servers are asked from now on: earlier failures do not count, and if the list is set
 * aside, it is tested at once. */
void dns_health_start_afresh(struct dns_health *health, uint64_t now_usec);

/* Both queries of a test have ended. `usec_well` and `usec_ill`: the time until the next test. */
bool dns_health_note_test(struct dns_health *health, struct dns_health_answer listed,
                          struct dns_health_answer unlisted, uint64_t now_usec, uint64_t usec_well,
                          uint64_t usec_ill);
