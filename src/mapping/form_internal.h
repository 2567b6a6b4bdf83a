/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The automaton of form.h, as the files that build and walk it see it. */
#pragma once

#include "base/macro.h"
#include "mapping/form.h"

/* Every character that a probe can have, folded. */
#define FORM_ALPHABET "tcp|.:0123456789abdef"
#define N_CHARACTERS  (sizeof(FORM_ALPHABET) - 1)

/* States, in the order of the string: "TCP|", then twice an address and a port.
 *
 * An IPv4 address: for each of its numbers, what may follow. */
enum ipv4_state {
    IPV4_START,    /* a digit */
    IPV4_DONE,     /* no digit */
    IPV4_ONE,      /* after a 1: two digits */
    IPV4_TWO,      /* after a 2: 0 to 4 and a digit, 5 and 0 to 5, or a digit */
    IPV4_DIGIT,    /* one more digit */
    IPV4_TWO_FIVE, /* after 25: 0 to 5 */
    N_IPV4_STATES,
};

/* An IPv6 address: for each number of colons so far, before and after the double one. */
enum ipv6_state {
    IPV6_START,        /* of a group, or the address */
    IPV6_DIGITS_1,     /* so many digits of the group were seen */
    IPV6_DIGITS_4 = 4, /* and no more can follow */
    IPV6_ZERO,         /* the group is 0 */
    IPV6_DOUBLE,       /* right after the double colon */
    N_IPV6_STATES,
};

#define N_COLONS 8

/* A port: the number of digits so far, none to five. */
#define N_PORT_STATES 6

enum {
    AT_WORD = 0,
    /* Of an address, counted from where it begins. */
    AT_IPV4 = 0,
    AT_IPV6 = AT_IPV4 + 4 * N_IPV4_STATES,
    N_ADDRESS_STATES = AT_IPV6 + 2 * N_COLONS * N_IPV6_STATES,
    /* Of the probe. */
    AT_SERVER = AT_WORD + 4,
    AT_SERVER_PORT = AT_SERVER + N_ADDRESS_STATES,
    AT_CLIENT = AT_SERVER_PORT + N_PORT_STATES,
    AT_CLIENT_PORT = AT_CLIENT + N_ADDRESS_STATES,
    N_STATES = AT_CLIENT_PORT + N_PORT_STATES,
    NOWHERE = N_STATES,
};

#define WORD_BITS 64

struct states {
    uint64_t bits[(N_STATES + WORD_BITS - 1) / WORD_BITS];
};

struct form_automaton {
    /* Where a character leads to: at most two states, of which one is the start of an IPv4
     * address and the other that of an IPv6 address. */
    uint16_t next[N_STATES][N_CHARACTERS][2];
    struct states reachable[N_STATES]; /* by any characters, none included */
};

static inline void add_state(struct states *states, unsigned state)
{
    states->bits[state / WORD_BITS] |= UINT64_C(1) << (state % WORD_BITS);
}

static inline bool has_state(const struct states *states, unsigned state)
{
    return states->bits[state / WORD_BITS] >> (state % WORD_BITS) & 1;
}

/* Adds those of `more`. Returns true if that changed anything. */
static inline bool add_states(struct states *states, const struct states *more)
{
    bool has_changed = false;

    for (size_t i = 0; i < ELEMENTSOF(states->bits); i++) {
        has_changed |= (more->bits[i] & ~states->bits[i]) != 0;
        states->bits[i] |= more->bits[i];
    }
    return has_changed;
}

/* The state, counted from the start of an address, is one in which an address may end. */
bool form_is_address_end(unsigned state);
