/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Characters of a text file that nobody sees in an editor, and that make a name, a number or an
 * address another one. */
#pragma once

#include <stddef.h>

/* A character, and where it is. */
struct invisible {
    size_t column;    /* from 1, in characters */
    const char *name; /* "a no-break space (U+00A0)" */
};

/* Length of the byte order mark of UTF-8 at the start of the text; 0 if it has none. Editors of
 * other systems begin each file with one. */
size_t invisible_mark_length(const char *text, size_t length);

/* Finds the first character in the line that cannot be seen: a blank of Unicode that is no blank
 * here, a mark without width, a control character other than the tab. Returns 1 with *ret, or 0 if
 * there is none. Text in another encoding than UTF-8 is passed over. */
int invisible_find(const char *text, size_t length, struct invisible *ret);
