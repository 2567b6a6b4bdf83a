/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Characters of UTF-8 (RFC 3629), strictly: no form that is too long, no surrogate, nothing past
 * U+10FFFF. And which of them a stranger must not be able to put before somebody's eyes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the character at the start of the text, which has `length` bytes. Returns how many it
 * takes, with *ret; or 0 if there is none. */
size_t utf8_decode(const char *text, size_t length, uint32_t *ret);

/* True for a character that a terminal, a browser or a mail program obeys instead of showing it, or
 * does not show at all: control characters, line separators, marks of the direction of writing,
 * and whatever else Unicode calls Default_Ignorable_Code_Point. With these a text looks like
 * another one. */
bool utf8_is_hidden(uint32_t character);

/* Makes '?' of each byte of such a character, but for a newline and a tab, and of each byte that is
 * part of no character. */
void utf8_make_visible(char *text, size_t length);
