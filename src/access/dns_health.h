/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Tells whether a DNS list is fit to be asked: what its test entries (RFC 5782, 5) and its answers
 * to real questions say. A list that lists the world, turns us away or says nothing is set aside
 * until its test entries are as they should be. Pure: the caller has the clock and asks. */
#pragma once

#include "access/dns_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How often the test entries are asked while the list is well, and while it is set aside. */
#define DNS_HEALTH_WELL_USEC UINT64_C(300000000)
#define DNS_HEALTH_ILL_USEC  UINT64_C(30000000)

/* Failures in a row, with no answer in between, that set a list aside: time-outs, refused ports,
 * SERVFAIL, nonsense. How fast a question fails says nothing for the list. */
#define DNS_HEALTH_FAILURES_MAX 3

/* Every list has the first as an entry, and never the second. */
#define DNS_HEALTH_LISTED_CLIENT   "2.0.0.127."
#define DNS_HEALTH_UNLISTED_CLIENT "1.0.0.127."

/* A list is too slow if more checks wait for it than that, a quarter of those that a service may
 * have at once, for this time, and its last answer took longer, or there was none. One that is set
 * aside for it must answer its test within that time. */
#define DNS_HEALTH_CROWD     256
#define DNS_HEALTH_SLOW_USEC UINT64_C(1000000)

enum dns_health_state {
    DNS_HEALTH_UNTESTED, /* nothing is known: a "yes" waits for the test */
    DNS_HEALTH_WELL,
    DNS_HEALTH_ILL, /* set aside */
};

/* All zero is untested, and due. */
struct dns_health {
    enum dns_health_state state;
    const char *reason;      /* of ILL: static words, as in "list NAME is set aside: REASON" */
    uint64_t next_test_usec; /* when the test entries are to be asked */
    uint64_t last_test_usec;
    uint64_t crowd_since_usec; /* since then more than DNS_HEALTH_CROWD wait; 0: they do not */
    uint64_t answered_usec;    /* when the last answer came, and what it took */
    uint64_t last_took_usec;
    bool is_slow;          /* it was set aside for that */
    unsigned n_failures;   /* in a row */
    bool lacks_test_entry; /* 127.0.0.2 is not on the list: it may be empty */
};

/* How one question ended: `error` 0 with what it said, -ETIMEDOUT, or another negative errno. */
struct dns_health_answer {
    int error;
    enum dns_answer meaning;
    uint64_t took_usec;
};

/* Both return true if the list was set aside, or taken back. `now_usec` is monotonic. */

/* Looks at those that wait, when dns_health_crowd_due() says so. */
bool dns_health_look_at_crowd(struct dns_health *health, uint64_t now_usec);

/* A real question ended. */
bool dns_health_note_answer(struct dns_health *health, struct dns_health_answer answer,
                            uint64_t now_usec);

/* So many checks wait for the list from now on. Returns true if that is a crowd, and was none. */
bool dns_health_note_waiting(struct dns_health *health, size_t n_waiting, uint64_t now_usec);

/* When to look at the crowd; UINT64_MAX: there is none. */
uint64_t dns_health_crowd_due(const struct dns_health *health);

/* The list is asked by another way from now on: failures say nothing any more, and one that is set
 * aside is to be tested at once. */
void dns_health_start_afresh(struct dns_health *health, uint64_t now_usec);

/* Both questions for the test entries have ended. `usec_well` and `usec_ill`: until the next
 * test. */
bool dns_health_note_test(struct dns_health *health, struct dns_health_answer listed,
                          struct dns_health_answer unlisted, uint64_t now_usec, uint64_t usec_well,
                          uint64_t usec_ill);
