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

/* Adds the character in both cases, and what stands for it in strings under way. */
void character_set_add(struct character_set *set, char c);

/* Adds all from `first` to `last`. */
void character_set_add_range(struct character_set *set, char first, char last);

/* Adds what a letter of dispatcher-mappings(5) stands for, as D for the digits. Returns false if
 * it stands for nothing. */
bool character_set_add_class(struct character_set *set, char letter);

static inline bool character_set_has(const struct character_set *set, char c)
{
    unsigned i = (unsigned char)c;

    return set->bits[i / CHARACTER_SET_WORD_BITS] >> (i % CHARACTER_SET_WORD_BITS) & 1;
}
