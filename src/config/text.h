/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Blanks and comments in the text of a line. */
#pragma once

#include <stdbool.h>

/* Takes blanks from both ends of the text, in its place. Returns where it starts now. */
char *text_trim(char *text);

/* True if something in the text looks like a comment, as in "25 ! smtp". There are none within
 * a line (dispatcher.cnf(5)), so whoever cannot make sense of the text says so. */
bool text_has_comment(const char *text);
