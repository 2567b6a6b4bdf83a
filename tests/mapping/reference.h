/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A matcher of patterns that works on their text, without compiling, with plain recursion: slow,
 * and easy to see through. For patterns that pattern_compile() accepts, and short strings. */
#pragma once

/* Writes "no", or the fields with commas between them, in brackets. */
void reference_match(const char *pattern, const char *text, char outcome[256]);
