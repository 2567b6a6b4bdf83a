/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/pattern.h"

#include "base/macro.h"
#include "mapping/character.h"

#include <assert.h>
#include <string.h>

/* Elements are matched from left to right. Only MANY has a choice, namely where it ends; `choices`
 * is the stack of choices made. If a later element does not match, the last choice is changed, and
 * if it has no further end, the one before it.
 *
 * Without back matches, whether the rest of the pattern matches from a place does not depend on how
 * that was reached. So an end that a star has tried in vain need not be tried again: `failed`
 * remembers those, and matching takes about stars x length steps. */

#define STARS_MAX PATTERN_BYTES_MAX

/* How many bytes can be searched in the time of one step. */
#define STEP_BYTES 32

struct choice {
    const struct pattern_element *element;
    uint32_t start; /* it may end from here ... */
    uint32_t limit; /* ... to here */
    uint32_t end;
    uint32_t run_end; /* how far its characters reach; `limit` excludes ends that failed before */
};

/* For a star: none of the ends from `start` to `run_end`, where its characters stop, leads to a
 * match. */
struct failure {
    uint32_t start; /* UINT32_MAX: none is known */
    uint32_t run_end;
};

struct matcher {
    const struct pattern *pattern;
    const char *text; /* folded */
    size_t length;
    struct pattern_field *fields;
    uint64_t steps;
    size_t n_choices;
    struct choice choices[STARS_MAX];
    struct failure
        failed[STARS_MAX]; /* not initialized, as is the next: filled as far as they are used */
};

static bool has(const struct character_set *set, char c)
{
    return !set || character_set_has(set, c);
}

static void save(const struct matcher *m, const struct pattern_element *element, size_t start,
                 size_t length)
{
    if (element->field >= 0)
        m->fields[element->field] = (struct pattern_field){(uint16_t)start, (uint16_t)length};
}

static bool has_address(const struct network *network, const char *text, size_t length)
{
    uint8_t address[16];

    if (network->is_ipv6 ? !network_read_ipv6(text, length, address)
                         : !network_read_ipv4(text, length, address))
        return false;
    return network_contains(network, address);
}

/* Matches an element that has no choice. Moves *at past it. */
static bool pass(struct matcher *m, const struct pattern_element *element, size_t *at)
{
    const char *text = m->text + *at;
    size_t rest = m->length - *at, length = element->length;
    bool fits = false;

    m->steps++;
    switch (element->kind) {
    case PATTERN_TEXT:
        fits = length <= rest && memcmp(element->text, text, length) == 0;
        break;
    case PATTERN_ONE:
        length = 1;
        fits = rest > 0 && has(element->set, *text);
        break;
    case PATTERN_BACK:
        length = m->fields[element->number].length;
        m->steps += length;
        fits =
            length <= rest && memcmp(m->text + m->fields[element->number].start, text, length) == 0;
        break;
    case PATTERN_NETWORK:
        length = network_span(text, rest, element->network->is_ipv6);
        m->steps += length;
        fits = has_address(element->network, text, length);
        break;
    case PATTERN_MANY:
        assert(false);
    }
    if (fits) {
        save(m, element, *at, length);
        *at += length;
    }
    return fits;
}

/* Choices */

/* The last character is compared first, since it differs most often. */
static inline bool has_text(const struct matcher *m, const struct pattern_element *element,
                            size_t at)
{
    size_t length = element->length;

    return length <= m->length - at && m->text[at + length - 1] == element->text[length - 1] &&
           memcmp(element->text, m->text + at, length) == 0;
}

/* Whether what must follow this end of the choice does follow. */
static inline bool is_candidate(struct matcher *m, const struct choice *choice)
{
    const struct pattern_element *next = choice->element + 1;

    m->steps++;
    switch (choice->element->next) {
    case PATTERN_NEXT_END:
        return choice->end == m->length;
    case PATTERN_NEXT_TEXT:
        return has_text(m, next, choice->end);
    default:
        return true;
    }
}

/* Moves the choice one end further, or to the next occurrence of the first character that must
 * follow. Returns false if there is none. */
static inline bool move_end(struct matcher *m, struct choice *choice)
{
    bool is_lazy = choice->element->is_lazy;
    const char *from = m->text + choice->end, *found;

    if (choice->end == (is_lazy ? choice->limit : choice->start))
        return false;
    if (choice->element->next != PATTERN_NEXT_TEXT)
        found = is_lazy ? from + 1 : from - 1;
    else if (is_lazy)
        found = memchr(from + 1, choice->element[1].text[0],
                       (size_t)(choice->limit - choice->end) + (choice->limit < m->length) - 1);
    else
        found = memrchr(m->text + choice->start, choice->element[1].text[0],
                        (size_t)(choice->end - choice->start));
    if (!found)
        return false;
    m->steps += (size_t)(is_lazy ? found - from : from - found) / STEP_BYTES;
    choice->end = (uint32_t)(found - m->text);
    return true;
}

/* Moves the choice to its next possible end. Returns false if there is none. */
static bool next_end(struct matcher *m, struct choice *choice)
{
    while (move_end(m, choice))
        if (is_candidate(m, choice))
            return true;
    return false;
}

/* How far the characters of the star extend from `at` on. */
static size_t find_run_end(struct matcher *m, const struct pattern_element *element, size_t at)
{
    const struct failure *failed = &m->failed[element->star];
    size_t end = at;

    if (!element->set)
        return m->length;
    while (end < m->length && end != failed->start && has(element->set, m->text[end]))
        end++;
    m->steps += end - at;
    return end == failed->start ? failed->run_end : end;
}

/* Remembers that the choice has failed. */
static void give_up(struct matcher *m, const struct choice *choice)
{
    if (!m->pattern->has_back)
        m->failed[choice->element->star] = (struct failure){choice->start, choice->run_end};
}

/* Makes a choice. Returns false if it has no possible end. */
static bool choose(struct matcher *m, const struct pattern_element *element, size_t at)
{
    struct choice *choice = &m->choices[m->n_choices];
    const struct failure *failed = &m->failed[element->star];

    if (failed->start <= at && at <= failed->run_end)
        return false;
    size_t run_end = find_run_end(m, element, at), limit = run_end;
    if (failed->start != UINT32_MAX && failed->run_end == run_end)
        limit = failed->start - 1U;
    if (element->next == PATTERN_NEXT_TEXT) {
        size_t needed = element[1].length;

        if (m->length - at < needed)
            return false;
        limit = limit + needed > m->length ? m->length - needed : limit;
    }
    choice->element = element;
    choice->start = (uint32_t)at;
    choice->limit = (uint32_t)limit;
    choice->end = (uint32_t)(element->is_lazy ? at : limit);
    choice->run_end = (uint32_t)run_end;
    if (!is_candidate(m, choice) && !next_end(m, choice)) {
        give_up(m, choice);
        return false;
    }
    m->n_choices++;
    return true;
}

/* What follows the last choice did not match: changes that choice, or one before it. */
static bool choose_again(struct matcher *m)
{
    while (m->n_choices > 0) {
        struct choice *choice = &m->choices[m->n_choices - 1];

        if (next_end(m, choice))
            return true;
        give_up(m, choice);
        m->n_choices--;
    }
    return false;
}

static enum pattern_outcome match(struct matcher *m)
{
    const struct pattern_element *element = m->pattern->elements;
    const struct pattern_element *end = element + m->pattern->n_elements;
    size_t at = 0;

    for (;;) {
        bool fits = element == end                  ? at == m->length
                    : element->kind == PATTERN_MANY ? choose(m, element, at)
                                                    : pass(m, element, &at);

        if (m->steps > PATTERN_STEPS_MAX)
            return PATTERN_TOO_HARD;
        if (fits && element == end)
            return PATTERN_MATCHES;
        if (!fits && !choose_again(m))
            return PATTERN_DIFFERS;
        if (!fits || element->kind == PATTERN_MANY) {
            const struct choice *choice = &m->choices[m->n_choices - 1];

            element = choice->element;
            at = choice->end;
            save(m, element, choice->start, (size_t)(choice->end - choice->start));
        }
        element++;
    }
}

void pattern_pairs_add(struct pattern_pairs *pairs, const char *folded, size_t length)
{
    for (size_t i = 1; i < length; i++) {
        uint8_t bit = (uint8_t)((unsigned char)folded[i - 1] * 29 + (unsigned char)folded[i]);

        pairs->bits[bit / 64] |= UINT64_C(1) << (bit % 64);
    }
}

/* This alone rules out most entries of a table. */
static bool lacks_pair(const struct pattern_pairs *wanted, const struct pattern_pairs *pairs)
{
    uint64_t lacking = 0;

    for (size_t i = 0; i < ELEMENTSOF(pairs->bits); i++)
        lacking |= wanted->bits[i] & ~pairs->bits[i];
    return lacking != 0;
}

void pattern_input_set(struct pattern_input *input, const char *text, size_t length)
{
    assert(length <= PATTERN_INPUT_MAX);
    input->length = length;
    input->pairs = (struct pattern_pairs){0};
    for (size_t i = 0; i < length; i++)
        input->folded[i] = character_fold(text[i]);
    pattern_pairs_add(&input->pairs, input->folded, length);
}

enum pattern_outcome pattern_match(const struct pattern *pattern, const struct pattern_input *input,
                                   struct pattern_field fields[PATTERN_FIELDS_MAX], uint64_t *steps)
{
    struct matcher m; /* not initialized: its arrays are filled as far as they are used */

    ++*steps;
    if (lacks_pair(&pattern->pairs, &input->pairs))
        return PATTERN_DIFFERS;
    m.pattern = pattern;
    m.text = input->folded;
    m.length = input->length;
    m.fields = fields;
    m.steps = 0;
    m.n_choices = 0;
    assert(pattern->n_stars <= STARS_MAX);
    for (size_t i = 0; i < pattern->n_stars; i++)
        m.failed[i].start = UINT32_MAX;
    enum pattern_outcome outcome = match(&m);
    *steps += m.steps;
    return outcome;
}
