/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Sets of characters, without regard to case. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CHARACTER_SET_WORD_BITS 64

/* All zero is empty. */
struct character_set {
    uint64_t bits[256 / CHARACTER_SET_WORD_BITS];
};

/* Adds the character in both cases, and the byte that may stand for it in strings in work. */
void character_set_add(struct character_set *set, char c);

/* Adds all from `first` to `last`. */
void character_set_add_range(struct character_set *set, char first, char last);

/* Adds the characters of a class of dispatcher-mappings(5), such as D for digits. Returns false if
 * there is no such class. */
bool character_set_add_class(struct character_set *set, char letter);

static inline bool character_set_has(const struct character_set *set, char c)
{
    unsigned i = (unsigned char)c;

    return set->bits[i / CHARACTER_SET_WORD_BITS] >> (i % CHARACTER_SET_WORD_BITS) & 1;
}
