/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/character_set.h"

#include "mapping/character.h"

static void add_bit(struct character_set *set, char c)
{
    set->bits[(unsigned char)c / CHARACTER_SET_WORD_BITS] |=
        UINT64_C(1) << ((unsigned char)c % CHARACTER_SET_WORD_BITS);
}

void character_set_add(struct character_set *set, char c)
{
    add_bit(set, character_lower(c));
    add_bit(set, character_upper(c));
    if (c == '~')
        add_bit(set, CHARACTER_LINE_END);
    if (c == '|')
        add_bit(set, CHARACTER_OUTER_BAR);
}

void character_set_add_range(struct character_set *set, char first, char last)
{
    for (int c = (unsigned char)first; c <= (unsigned char)last; c++)
        character_set_add(set, (char)c);
}

static void add_all(struct character_set *set, const char *characters)
{
    for (; *characters; characters++)
        character_set_add(set, *characters);
}

bool character_set_add_class(struct character_set *set, char letter)
{
    switch (character_upper(letter)) {
    case 'A':
        character_set_add_range(set, 'a', 'z');
        return true;
    case 'B':
        add_all(set, "01");
        return true;
    case 'D':
        character_set_add_range(set, '0', '9');
        return true;
    case 'H':
    case 'X':
        character_set_add_range(set, '0', '9');
        character_set_add_range(set, 'a', 'f');
        return true;
    case 'O':
        character_set_add_range(set, '0', '7');
        return true;
    case 'S':
        character_set_add_range(set, '0', '9');
        character_set_add_range(set, 'a', 'z');
        add_all(set, "_$");
        return true;
    case 'T':
        add_all(set, " \t\v");
        return true;
    default:
        return false;
    }
}
