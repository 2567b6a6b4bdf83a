/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/form_internal.h"

#include "mapping/character.h"

#include <string.h>

static const char alphabet[] = FORM_ALPHABET;

/* Bars of a probe. */
#define N_BARS 4

static bool is_empty(const struct states *states)
{
    for (size_t i = 0; i < ELEMENTSOF(states->bits); i++)
        if (states->bits[i])
            return false;
    return true;
}

/* Goes on from each of the states by one character, number i of the alphabet. */
static void step(const struct form_automaton *automaton, const struct states *from, size_t i,
                 struct states *to)
{
    for (unsigned state = 0; state < N_STATES; state++) {
        /* Most words are empty. */
        if (!(from->bits[state / WORD_BITS] >> (state % WORD_BITS))) {
            state |= WORD_BITS - 1;
            continue;
        }
        if (!has_state(from, state))
            continue;
        for (size_t k = 0; k < 2; k++)
            if (automaton->next[state][i][k] != NOWHERE)
                add_state(to, automaton->next[state][i][k]);
    }
}

static void step_text(const struct form_automaton *automaton, const char *text, size_t length,
                      struct states *states)
{
    for (size_t at = 0; at < length; at++) {
        const char *c = text[at] ? strchr(alphabet, character_lower(text[at])) : NULL;
        struct states to = {0};

        if (c)
            step(automaton, states, (size_t)(c - alphabet), &to);
        *states = to;
    }
}

/* Goes on by one character of a set; NULL is any. */
static struct states step_one(const struct form_automaton *automaton,
                              const struct character_set *set, const struct states *states)
{
    struct states to = {0};

    for (size_t i = 0; i < N_CHARACTERS; i++)
        if (!set || character_set_has(set, alphabet[i]))
            step(automaton, states, i, &to);
    return to;
}

static void step_many(const struct form_automaton *automaton, const struct character_set *set,
                      struct states *states)
{
    struct states more = *states;

    if (set) {
        do
            more = step_one(automaton, set, &more);
        while (add_states(states, &more));
        return;
    }
    for (unsigned state = 0; state < N_STATES; state++)
        if (has_state(&more, state))
            (void)add_states(states, &automaton->reachable[state]);
}

/* Goes on by a whole address of that family. */
static void step_network(bool is_ipv6, struct states *states)
{
    static const unsigned starts[] = {AT_SERVER, AT_CLIENT};
    unsigned first = is_ipv6 ? AT_IPV6 : AT_IPV4, end = is_ipv6 ? N_ADDRESS_STATES : AT_IPV6;
    struct states to = {0};

    for (size_t i = 0; i < ELEMENTSOF(starts); i++)
        for (unsigned state = first; has_state(states, starts[i] + first) && state < end; state++)
            if (form_is_address_end(state))
                add_state(&to, starts[i] + state);
    *states = to;
}

static void step_element(const struct form_automaton *automaton,
                         const struct pattern_element *element, struct states *states)
{
    switch (element->kind) {
    case PATTERN_TEXT:
        step_text(automaton, element->text, element->length, states);
        break;
    case PATTERN_ONE:
        *states = step_one(automaton, element->set, states);
        break;
    case PATTERN_MANY:
        step_many(automaton, element->set, states);
        break;
    case PATTERN_BACK: /* its text is unknown here */
        step_many(automaton, NULL, states);
        break;
    case PATTERN_NETWORK:
        step_network(element->network->is_ipv6, states);
        break;
    }
}

/* Whether a string of the form can end in one of the states. */
static bool has_end(const struct states *states, enum form form)
{
    for (unsigned state = 0; form == FORM_ADDRESS && state < N_ADDRESS_STATES; state++)
        if (form_is_address_end(state) && has_state(states, AT_CLIENT + state))
            return true;
    for (unsigned n_digits = 1; form != FORM_ADDRESS && n_digits < N_PORT_STATES; n_digits++)
        if (has_state(states, AT_CLIENT_PORT + n_digits))
            return true;
    return false;
}

static bool can_match_form(const struct form_automaton *automaton, const struct pattern *pattern,
                           enum form form)
{
    struct states states = {0};

    if (form == FORM_ADDRESS) {
        add_state(&states, AT_CLIENT + AT_IPV4);
        add_state(&states, AT_CLIENT + AT_IPV6);
    } else {
        add_state(&states, form == FORM_PORT ? AT_CLIENT_PORT : AT_WORD);
    }
    for (size_t i = 0; i < pattern->n_elements && !is_empty(&states); i++)
        step_element(automaton, &pattern->elements[i], &states);
    return has_end(&states, form);
}

bool form_can_match(const struct form_automaton *automaton, const struct pattern *pattern,
                    unsigned forms)
{
    static const enum form all[] = {FORM_PROBE, FORM_ADDRESS, FORM_PORT};

    if (forms & FORM_ANY)
        return true;
    for (size_t i = 0; i < ELEMENTSOF(all); i++)
        if ((forms & all[i]) && can_match_form(automaton, pattern, all[i]))
            return true;
    return false;
}

static unsigned count_bars(const struct pattern_element *element)
{
    unsigned n = 0;

    for (size_t i = 0; element->kind == PATTERN_TEXT && i < element->length; i++)
        n += element->text[i] == '|';
    return n;
}

unsigned form_count_bars(const struct pattern *pattern)
{
    unsigned n = 0;

    for (size_t i = 0; i < pattern->n_elements; i++)
        n += count_bars(&pattern->elements[i]);
    return n;
}

/* Whether it is between two bars, or between a bar and an end of the pattern. */
static bool is_alone(const struct pattern *pattern, size_t i)
{
    const struct pattern_element *before = i > 0 ? &pattern->elements[i - 1] : NULL;
    const struct pattern_element *after =
        i + 1 < pattern->n_elements ? &pattern->elements[i + 1] : NULL;

    if (before && (before->kind != PATTERN_TEXT || before->text[before->length - 1] != '|'))
        return false;
    return !after || (after->kind == PATTERN_TEXT && after->text[0] == '|');
}

unsigned form_of_field(const struct pattern *pattern, unsigned forms, unsigned field)
{
    static const unsigned of_parts[] = {FORM_ANY, FORM_ADDRESS, FORM_PORT, FORM_ADDRESS, FORM_PORT};
    unsigned part = 0;

    for (size_t i = 0; i < pattern->n_elements; i++) {
        const struct pattern_element *element = &pattern->elements[i];

        part += count_bars(element);
        if (element->field != (int)field)
            continue;
        if (element->kind == PATTERN_NETWORK)
            return FORM_ADDRESS;
        if (pattern->n_elements == 1)
            return forms;
        /* If the pattern itself has all bars of a probe, no wildcard can match one. */
        if (forms != FORM_PROBE || form_count_bars(pattern) != N_BARS || !is_alone(pattern, i))
            return FORM_ANY;
        return of_parts[part];
    }
    return FORM_ANY;
}
