/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which strings a table is applied to, and whether a pattern can match one of them.
 *
 * A probe is "TCP|address|port|address|port". Its language is small, so it is held as an automaton;
 * a pattern is walked through the automaton's states, all at once. The automaton accepts a little
 * more than what probes are (a port of 99999, bits of an address beyond what the network has), so
 * that a pattern of which this says that it matches nothing does match nothing. */
#pragma once

#include "mapping/pattern.h"

#include <stdbool.h>

/* A set of forms. */
enum form {
    FORM_PROBE = 1 << 0,
    FORM_ADDRESS = 1 << 1, /* as in a probe */
    FORM_PORT = 1 << 2,
    FORM_ANY = 1 << 3, /* nothing is known of the string */
};

struct form_automaton;

/* Returns NULL when out of memory. */
struct form_automaton *form_automaton_new(void);
void form_automaton_free(struct form_automaton *automaton);

/* False if the pattern matches no string of any of these forms. */
bool form_can_match(const struct form_automaton *automaton, const struct pattern *pattern,
                    unsigned forms);

/* The form of what wildcard `field` of the pattern matches in a string of these forms. */
unsigned form_of_field(const struct pattern *pattern, unsigned forms, unsigned field);

/* Bars among the pattern's ordinary characters. */
unsigned form_count_bars(const struct pattern *pattern);
