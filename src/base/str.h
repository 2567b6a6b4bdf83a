/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Strings: ownership, comparison, and lists of them. */
#pragma once

#include "base/macro.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For _cleanup_: frees what the variable points to. */
void str_cleanup(char **string);

#define _cleanup_str_ _cleanup_(str_cleanup)

/* True if both are equal without regard to ASCII case, whatever the locale. */
bool str_equal_nocase(const char *a, const char *b);

/* True if `string` starts with `prefix`, without regard to ASCII case. */
bool str_starts_nocase(const char *string, const char *prefix);

/* What separates the words of a line. */
#define STR_BLANKS " \t"

/* Removes characters of `blanks` from both ends of the text, in place. Returns where it starts now.
 */
char *str_trim(char *text, const char *blanks);

/* c, or a question mark for what is no printable ASCII: the words of strangers, which are shown on
 * terminals, in log lines and in JSON. */
static inline char str_printable(char c)
{
    return c >= ' ' && c <= '~' ? c : '?';
}

/* Makes all of it printable; returns text. */
char *str_make_printable(char *text);

/* `one` if n is 1, else `many`. */
const char *str_plural(uint64_t n, const char *one, const char *many);

/* An ordered list of strings. The list owns its array and every string. All zero is an empty
 * list. */
struct str_list {
    char **items;
    size_t n_items;
};

/* Appends a copy of `item`. Returns 0 or -ENOMEM. */
int str_list_append(struct str_list *list, const char *item);

/* True if both hold equal strings (case matters) in the same order. */
bool str_list_equal(const struct str_list *a, const struct str_list *b);

/* Makes *ret a copy of `list`. Returns 0 or -ENOMEM. */
int str_list_copy(const struct str_list *list, struct str_list *ret);

/* Frees all it owns; the list is empty afterwards. */
void str_list_clear(struct str_list *list);

/* A text that grows up to a fixed length in a caller's buffer and is always terminated. What does
 * not fit is cut, and `is_cut` says so. */
struct str_buffer {
    char *text;
    size_t size;
    size_t length;
    bool is_cut;
};

/* Starts an empty text in `text[size]`, size at least 1. */
struct str_buffer str_buffer_init(char *text, size_t size);

void str_buffer_add(struct str_buffer *buffer, const char *format, ...) _printf_(2, 3);
