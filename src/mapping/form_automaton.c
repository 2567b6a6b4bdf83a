/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/form_internal.h"

#include "mapping/character.h"

#include <stdlib.h>
#include <string.h>

static const char alphabet[] = FORM_ALPHABET;

/* The next state within a number; IPV4_START if there is none. */
static enum ipv4_state next_in_number(enum ipv4_state state, unsigned digit)
{
    switch (state) {
    case IPV4_START:
        return digit == 0 ? IPV4_DONE : digit == 1 ? IPV4_ONE : digit == 2 ? IPV4_TWO : IPV4_DIGIT;
    case IPV4_ONE:
        return IPV4_DIGIT;
    case IPV4_TWO:
        return digit < 5 ? IPV4_DIGIT : digit == 5 ? IPV4_TWO_FIVE : IPV4_DONE;
    case IPV4_DIGIT:
        return IPV4_DONE;
    case IPV4_TWO_FIVE:
        return digit <= 5 ? IPV4_DONE : IPV4_START;
    default:
        return IPV4_START;
    }
}

static unsigned next_ipv4(unsigned state, char c)
{
    unsigned number = state / N_IPV4_STATES;
    enum ipv4_state within = state % N_IPV4_STATES;

    if (c == '.' && within != IPV4_START && number < 3)
        return (number + 1) * N_IPV4_STATES + IPV4_START;
    if (!character_is_digit(c))
        return NOWHERE;
    within = next_in_number(within, (unsigned)(c - '0'));
    return within == IPV4_START ? NOWHERE : number * N_IPV4_STATES + within;
}

static bool is_ipv4_end(unsigned state)
{
    return state / N_IPV4_STATES == 3 && state % N_IPV4_STATES != IPV4_START;
}

static unsigned ipv6_state(unsigned has_double, unsigned n_colons, unsigned within)
{
    return (has_double * N_COLONS + n_colons) * N_IPV6_STATES + within;
}

static unsigned next_ipv6(unsigned state, char c)
{
    unsigned within = state % N_IPV6_STATES, n_colons = state / N_IPV6_STATES % N_COLONS;
    unsigned has_double = state / N_IPV6_STATES / N_COLONS;
    bool is_hex = character_is_digit(c) || (c >= 'a' && c <= 'f');

    if (c == ':') {
        if (n_colons == N_COLONS - 1 || within == IPV6_DOUBLE)
            return NOWHERE;
        if (within != IPV6_START || n_colons == 0)
            return ipv6_state(has_double, n_colons + 1, IPV6_START);
        return has_double ? NOWHERE : ipv6_state(1, n_colons + 1, IPV6_DOUBLE);
    }
    if (!is_hex || within == IPV6_ZERO || within == IPV6_DIGITS_4)
        return NOWHERE;
    if (within == IPV6_START || within == IPV6_DOUBLE)
        within = c == '0' ? IPV6_ZERO : IPV6_DIGITS_1;
    else
        within++;
    return ipv6_state(has_double, n_colons, within);
}

static bool is_ipv6_end(unsigned state)
{
    unsigned within = state % N_IPV6_STATES, n_colons = state / N_IPV6_STATES % N_COLONS;
    bool has_double = state / N_IPV6_STATES >= N_COLONS;

    return within != IPV6_START && (has_double || n_colons == N_COLONS - 1);
}

/* inet_ntop() writes some addresses with an IPv4 address at the end: ::192.0.2.1. */
static bool may_become_ipv4(unsigned state)
{
    unsigned within = state % N_IPV6_STATES;

    return state / N_IPV6_STATES >= N_COLONS && (within == IPV6_START || within == IPV6_DOUBLE);
}

bool form_is_address_end(unsigned state)
{
    return state < AT_IPV6 ? is_ipv4_end(state) : is_ipv6_end(state - AT_IPV6);
}

static void add_next(uint16_t next[2], unsigned state)
{
    next[next[0] != NOWHERE] = (uint16_t)state;
}

/* Links the states of an address that begins at `start`; a bar leads to `after`. */
static void link_address(struct form_automaton *automaton, unsigned start, unsigned after)
{
    for (unsigned state = 0; state < N_ADDRESS_STATES; state++)
        for (size_t i = 0; i < N_CHARACTERS; i++) {
            uint16_t *next = automaton->next[start + state][i];
            bool is_ipv4 = state < AT_IPV6;
            unsigned to =
                is_ipv4 ? next_ipv4(state, alphabet[i]) : next_ipv6(state - AT_IPV6, alphabet[i]);

            if (to != NOWHERE)
                add_next(next, start + to + (is_ipv4 ? 0 : AT_IPV6));
            if (!is_ipv4 && may_become_ipv4(state - AT_IPV6) && character_is_digit(alphabet[i]))
                add_next(next, start + next_ipv4(IPV4_START, alphabet[i]));
            if (alphabet[i] == '|' && form_is_address_end(state))
                add_next(next, after);
        }
}

/* Links the states of a port; a bar leads to the address that begins at `after`. */
static void link_port(struct form_automaton *automaton, unsigned start, unsigned after)
{
    for (unsigned n_digits = 0; n_digits < N_PORT_STATES; n_digits++)
        for (size_t i = 0; i < N_CHARACTERS; i++) {
            uint16_t *next = automaton->next[start + n_digits][i];
            bool is_digit = character_is_digit(alphabet[i]);

            if (is_digit && n_digits + 1 < N_PORT_STATES && (n_digits > 0 || alphabet[i] != '0'))
                add_next(next, start + n_digits + 1);
            if (alphabet[i] == '|' && n_digits > 0 && after != NOWHERE) {
                add_next(next, after + AT_IPV4);
                add_next(next, after + AT_IPV6);
            }
        }
}

static void link_word(struct form_automaton *automaton)
{
    static const char word[] = "tcp|";

    for (unsigned state = 0; state < 4; state++) {
        uint16_t *next = automaton->next[state][strchr(alphabet, word[state]) - alphabet];

        if (state < 3) {
            add_next(next, state + 1);
        } else {
            add_next(next, AT_SERVER + AT_IPV4);
            add_next(next, AT_SERVER + AT_IPV6);
        }
    }
}

static bool add_successors(const struct form_automaton *automaton, unsigned state,
                           struct states *states)
{
    bool has_changed = false;

    for (size_t i = 0; i < N_CHARACTERS; i++)
        for (size_t k = 0; k < 2; k++) {
            unsigned to = automaton->next[state][i][k];

            if (to != NOWHERE)
                has_changed |= add_states(states, &automaton->reachable[to]);
        }
    return has_changed;
}

static void find_reachable(struct form_automaton *automaton)
{
    bool has_changed = true;

    for (unsigned state = 0; state < N_STATES; state++)
        add_state(&automaton->reachable[state], state);
    while (has_changed) {
        has_changed = false;
        for (unsigned state = N_STATES; state-- > 0;)
            has_changed |= add_successors(automaton, state, &automaton->reachable[state]);
    }
}

struct form_automaton *form_automaton_new(void)
{
    struct form_automaton *automaton = calloc(1, sizeof(*automaton));

    if (!automaton)
        return NULL;
    for (unsigned state = 0; state < N_STATES; state++)
        for (size_t i = 0; i < N_CHARACTERS; i++)
            automaton->next[state][i][0] = automaton->next[state][i][1] = NOWHERE;
    link_word(automaton);
    link_address(automaton, AT_SERVER, AT_SERVER_PORT);
    link_port(automaton, AT_SERVER_PORT, AT_CLIENT);
    link_address(automaton, AT_CLIENT, AT_CLIENT_PORT);
    link_port(automaton, AT_CLIENT_PORT, NOWHERE);
    find_reachable(automaton);
    return automaton;
}

void form_automaton_free(struct form_automaton *automaton)
{
    free(automaton);
}
