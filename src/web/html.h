/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Texts in HTML. The one place where text from elsewhere becomes part of a page: whatever is not
 * written in this program's source goes through html_text(). */
#pragma once

#include <stdio.h>

/* Writes the text so that it is text, in content and in quoted attributes alike. Bytes that are no
 * UTF-8, and control characters (C0, C1, and those that turn the direction of writing), come out as
 * U+FFFD. */
void html_text(FILE *stream, const char *text);
