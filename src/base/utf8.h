/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Characters of UTF-8 (RFC 3629), strictly: no overlong form, no surrogate, nothing past U+10FFFF;
 * and which of them strangers must not be able to show to a person. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the character at the start of the text, which has `length` bytes. Returns how many bytes it
 * takes, with *ret; or 0 if there is no valid one. */
size_t utf8_decode(const char *text, size_t length, uint32_t *ret);

/* True for a character that a terminal, a browser or a mail program obeys instead of showing it, or
 * does not show at all: control characters, line separators, direction marks, and all that Unicode
 * calls Default_Ignorable_Code_Point. With these, one text can look like another. */
bool utf8_is_hidden(uint32_t character);

/* Replaces by '?' each byte of such a character, except newline and tab, and each byte that is not
 * part of a valid character. */
void utf8_make_visible(char *text, size_t length);
