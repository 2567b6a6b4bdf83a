/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which strings a table is applied to, and whether a pattern can match any of them.
 *
 * A probe is "TCP|address|port|address|port". All probes are held as a small automaton, and a
 * pattern is followed through all its states at once. The automaton accepts somewhat more than
 * probes (a port of 99999, for instance, and networks without regard to their bits), so "matches
 * nothing" is always true. */
#pragma once

#include "mapping/pattern.h"

#include <stdbool.h>

/* A set of forms. */
enum form {
    FORM_PROBE = 1 << 0,
    FORM_ADDRESS = 1 << 1, /* as in a probe */
    FORM_PORT = 1 << 2,
    FORM_ANY = 1 << 3, /* nothing is known about the string */
};

struct form_automaton;

/* Returns NULL when out of memory. */
struct form_automaton *form_automaton_new(void);
void form_automaton_free(struct form_automaton *automaton);

/* False if the pattern matches no string of any of these forms. */
bool form_can_match(const struct form_automaton *automaton, const struct pattern *pattern,
                    unsigned forms);

/* The form of what wildcard `field` of the pattern matches, in a string of these forms. */
unsigned form_of_field(const struct pattern *pattern, unsigned forms, unsigned field);

/* How many of the pattern's ordinary characters are bars. */
unsigned form_count_bars(const struct pattern *pattern);
