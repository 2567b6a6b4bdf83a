/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Characters that no editor shows, and that turn a name, a number or an address in a text file into
 * another one. */
#pragma once

#include <stddef.h>

/* An invisible character, and its place. */
struct invisible {
    size_t column;    /* from 1, in characters */
    const char *name; /* "a no-break space (U+00A0)" */
};

/* Length of the UTF-8 byte order mark at the start of the text; 0 if there is none. Editors of
 * other systems begin every file with one. */
size_t invisible_mark_length(const char *text, size_t length);

/* Finds the first invisible character of the line: a Unicode blank other than the space, a mark
 * without width, a control character other than the tab. Returns 1 with *ret, or 0 if there is
 * none. Text in another encoding than UTF-8 is skipped. */
int invisible_find(const char *text, size_t length, struct invisible *ret);
