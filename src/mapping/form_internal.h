/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The automaton of form.h, for the files that build it and use it. */
#pragma once

#include "base/macro.h"
#include "mapping/form.h"

/* All characters of probes, in lower case. */
#define FORM_ALPHABET "tcp|.:0123456789abdef"
#define N_CHARACTERS  (sizeof(FORM_ALPHABET) - 1)

/* States, in the order of the string: "TCP|", then twice an address and a port.
 *
 * An IPv4 address: what may follow within each of its numbers. */
enum ipv4_state {
    IPV4_START,    /* a digit */
    IPV4_DONE,     /* no digit */
    IPV4_ONE,      /* after a 1: two digits */
    IPV4_TWO,      /* after a 2: 0 to 4 and a digit, 5 and 0 to 5, or a digit */
    IPV4_DIGIT,    /* one more digit */
    IPV4_TWO_FIVE, /* after 25: 0 to 5 */
    N_IPV4_STATES,
};

/* An IPv6 address: for each number of colons so far, before and after the double colon. */
enum ipv6_state {
    IPV6_START,        /* the start of a group, or of the address */
    IPV6_DIGITS_1,     /* this many digits of the group so far */
    IPV6_DIGITS_4 = 4, /* and no more are possible */
    IPV6_ZERO,         /* the group is 0 */
    IPV6_DOUBLE,       /* right after the double colon */
    N_IPV6_STATES,
};

#define N_COLONS 8

/* A port: the number of digits so far, none to five. */
#define N_PORT_STATES 6

enum {
    AT_WORD = 0,
    /* Within an address, counted from its start. */
    AT_IPV4 = 0,
    AT_IPV6 = AT_IPV4 + 4 * N_IPV4_STATES,
    N_ADDRESS_STATES = AT_IPV6 + 2 * N_COLONS * N_IPV6_STATES,
    /* Within the probe. */
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
    /* The states after each character: at most two, one for an IPv4 address and one for an IPv6
     * address. */
    uint16_t next[N_STATES][N_CHARACTERS][2];
    struct states reachable[N_STATES]; /* by any number of characters, or none */
};

static inline void add_state(struct states *states, unsigned state)
{
    states->bits[state / WORD_BITS] |= UINT64_C(1) << (state % WORD_BITS);
}

static inline bool has_state(const struct states *states, unsigned state)
{
    return states->bits[state / WORD_BITS] >> (state % WORD_BITS) & 1;
}

/* Adds the states of `more`. Returns true if any was new. */
static inline bool add_states(struct states *states, const struct states *more)
{
    bool has_changed = false;

    for (size_t i = 0; i < ELEMENTSOF(states->bits); i++) {
        has_changed |= (more->bits[i] & ~states->bits[i]) != 0;
        states->bits[i] |= more->bits[i];
    }
    return has_changed;
}

/* Whether an address may end in this state, which is counted from the start of the address. */
bool form_is_address_end(unsigned state);
