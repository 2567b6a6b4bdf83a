/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Patterns of a mapping file (dispatcher-mappings(5)): compiled when the file is read, matched
 * without allocation and in bounded time. */
#pragma once

#include "files/place.h"
#include "mapping/arena.h"
#include "mapping/character_set.h"
#include "mapping/network.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a pattern, and of a string that it is compared with (dispatcher-mappings(5)). */
#define PATTERN_BYTES_MAX 256
#define PATTERN_INPUT_MAX 1024

/* Wildcards are numbered from 0; $n in a template has one digit. */
#define PATTERN_FIELDS_MAX 10

/* The most steps of one comparison (dispatcher-mappings(5)). A step takes a few nanoseconds. */
#define PATTERN_STEPS_MAX 100000

enum pattern_kind {
    PATTERN_TEXT,    /* these characters */
    PATTERN_ONE,     /* one of a set */
    PATTERN_MANY,    /* any number of a set */
    PATTERN_BACK,    /* what another wildcard matched */
    PATTERN_NETWORK, /* an address in a network */
};

/* What must follow a wildcard, so that most possible ends can be skipped. */
enum pattern_next {
    PATTERN_NEXT_ANY,
    PATTERN_NEXT_END,  /* the end of the string */
    PATTERN_NEXT_TEXT, /* the text of the next element */
};

struct pattern_element {
    enum pattern_kind kind;
    bool is_lazy;           /* MANY: matches as little as possible */
    int8_t field;           /* its number in templates; -1: none */
    uint8_t number;         /* BACK: of the other field */
    uint8_t star;           /* MANY: its number among those of the pattern */
    enum pattern_next next; /* MANY */
    uint16_t length;
    union {
        const char *text;                /* TEXT: folded; `length` of them */
        const struct character_set *set; /* ONE, MANY: NULL is any character */
        const struct network *network;
    };
};

/* Which pairs of adjacent characters occur; with few bits, so several pairs share one. */
struct pattern_pairs {
    uint64_t bits[4];
};

/* All memory is in the arena. All zero matches the empty string. */
struct pattern {
    const struct pattern_element *elements;
    uint16_t n_elements;
    uint16_t n_stars;
    uint16_t n_fields; /* as numbered; only the first PATTERN_FIELDS_MAX are kept */
    bool has_back;
    struct pattern_pairs
        pairs; /* of its texts: if the string lacks one of them, the pattern does not match */
};

/* A string prepared for comparison. */
struct pattern_input {
    size_t length;
    struct pattern_pairs pairs;
    char folded[PATTERN_INPUT_MAX]; /* in lower case */
};

/* What a wildcard matched. */
struct pattern_field {
    uint16_t start;
    uint16_t length;
};

enum pattern_outcome {
    PATTERN_DIFFERS,
    PATTERN_MATCHES,
    PATTERN_TOO_HARD, /* out of steps: counts as no match */
};

/* Compiles `text`, in which blanks are quoted. Returns 0; -EINVAL after an error was added; or
 * -ENOMEM. Warnings may be added in any case. */
int pattern_compile(const char *text, size_t length, struct arena *arena, const struct place *place,
                    struct pattern *ret);

/* Prepares a string of at most PATTERN_INPUT_MAX bytes. */
void pattern_input_set(struct pattern_input *input, const char *text, size_t length);

/* Compares the whole string. If it matches, the pattern's fields are filled in. Adds the steps that
 * were taken to *steps. */
enum pattern_outcome pattern_match(const struct pattern *pattern, const struct pattern_input *input,
                                   struct pattern_field fields[PATTERN_FIELDS_MAX],
                                   uint64_t *steps);

/* Adds the pairs of a folded text. */
void pattern_pairs_add(struct pattern_pairs *pairs, const char *folded, size_t length);

/* Whether the pattern is a network, or the text of an address, and nothing else. */
bool pattern_is_network(const struct pattern *pattern, struct network *ret);
