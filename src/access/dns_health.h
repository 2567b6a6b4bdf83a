/* Tells whether a DNS list is fit to be asked: what its test entries (RFC 5782, 5) and its answers
 * to real questions say. A list that lists the world, turns us away or says nothing is set aside
 * until its test entries are as they should be. Pure: the caller has the clock and asks. */
#pragma once

#include "access/dns_list.h"

#include <stdbool.h>
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
    unsigned n_failures;   /* in a row */
    bool lacks_test_entry; /* 127.0.0.2 is not on the list: it may be empty */
};

/* How one question ended: `error` 0 with what it said, -ETIMEDOUT, or another negative errno. */
struct dns_health_answer {
    int error;
    enum dns_answer meaning;
};

/* Both return true where the list was set aside, or taken back. `now_usec` is monotonic. */

/* A real question ended. */
bool dns_health_note_answer(struct dns_health *health, struct dns_health_answer answer,
                            uint64_t now_usec);

/* The list is asked by another way from now on: failures say nothing any more, and one that is set
 * aside is to be tested at once. */
void dns_health_start_afresh(struct dns_health *health, uint64_t now_usec);

/* Both questions for the test entries have ended. `usec_well` and `usec_ill`: until the next
 * test. */
bool dns_health_note_test(struct dns_health *health, struct dns_health_answer listed,
                          struct dns_health_answer unlisted, uint64_t now_usec, uint64_t usec_well,
                          uint64_t usec_ill);
