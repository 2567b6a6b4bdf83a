/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How the engine interprets bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Strings in work may have two special bytes, which neither files nor clients can contribute, since
 * control characters are refused in files and replaced in text from outside
 * (dispatcher-mappings(5)):
 *
 * The line end of a rejection, for which the template has a tilde. All other tildes stand for
 * themselves. */
#define CHARACTER_LINE_END '\n'

/* A vertical bar in text from outside, which therefore separates no arguments
 * (dispatcher-mappings(5)). */
#define CHARACTER_OUTER_BAR '\x01'

/* A tab counts as text: files may quote it. */
static inline bool character_is_control(char c)
{
    return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

static inline bool character_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static inline bool character_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads the whole text as a decimal number. Returns false if it is none, or if int32_t may have no
 * room for it. */
static inline bool character_read_number(const char *text, uint32_t *ret)
{
    uint32_t value = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (!character_is_digit(*text) || value > (INT32_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint32_t)(*text - '0');
    }
    *ret = value;
    return true;
}

static inline bool character_is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static inline char character_lower(char c)
{
    return (unsigned char)(c - 'A') < 26 ? (char)(c - 'A' + 'a') : c;
}

static inline char character_upper(char c)
{
    return (unsigned char)(c - 'a') < 26 ? (char)(c - 'a' + 'A') : c;
}

/* What people see in place of these two bytes. */
static inline char character_plain(char c)
{
    return c == CHARACTER_LINE_END ? '~' : c == CHARACTER_OUTER_BAR ? '|' : c;
}

/* The character as it is compared. */
static inline char character_fold(char c)
{
    return (unsigned char)c < ' ' ? character_plain(c) : character_lower(c);
}

/* Characters of a table's name (dispatcher-mappings(5)). */
#define TABLE_NAME_MAX 64

/* Whether the text can be the name of a table, apart from its first character. */
static inline bool character_is_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!character_is_letter(text[i]) && !character_is_digit(text[i]) && text[i] != '_' &&
            text[i] != '-' && text[i] != '.')
            return false;
    return length > 0 && length <= TABLE_NAME_MAX;
}
