/* What the engine takes a byte for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Strings under way hold two bytes of ours, which no file and no client can bring in, since control
 * characters are refused in files and replaced in what comes from outside (spec 5.2):
 *
 * A tilde that the template has as such, which parts lines of a rejection. Every other tilde is
 * itself. */
#define CHARACTER_LINE_END '\n'

/* A vertical bar that came from outside, and so parts no arguments (spec 6.4). */
#define CHARACTER_OUTER_BAR '\x01'

/* A tab is text: files may quote it. */
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

static inline bool character_is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static inline char character_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline char character_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* What a person sees in place of the two bytes above. */
static inline char character_plain(char c)
{
    return c == CHARACTER_LINE_END ? '~' : c == CHARACTER_OUTER_BAR ? '|' : c;
}

/* The character for comparisons. */
static inline char character_fold(char c)
{
    return character_lower(character_plain(c));
}
