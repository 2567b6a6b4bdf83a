/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Texts in HTML. All text that is not part of this program's source gets into a page by
 * html_text(). */
#pragma once

#include <stdio.h>

/* Writes the text so that it appears as text, both in content and in quoted attributes. Bytes that
 * are not UTF-8, and control characters (C0, C1, and those that change the direction of writing),
 * become U+FFFD. */
void html_text(FILE *stream, const char *text);
