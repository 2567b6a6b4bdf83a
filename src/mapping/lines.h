/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Lines of a mapping file (dispatcher-mappings(5)): what files/reader.h has to know of them, and
 * their words. Unlike in dispatcher.cnf it counts whether a line begins in the first column, and so
 * do blank lines and blanks at the end. */
#pragma once

#include "files/reader.h"

/* Bytes of a line with its continuations (dispatcher-mappings(5)). */
#define MAPPING_LINE_MAX 4096

extern const struct reader_rules mapping_line_rules;

/* The length of the first word: up to a blank that no dollar quotes. */
size_t lines_word(const char *text, size_t length);
