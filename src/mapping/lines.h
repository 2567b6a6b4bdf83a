/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The form of lines of a mapping file (dispatcher-mappings(5)), for files/reader.h, and their
 * words. Unlike in dispatcher.cnf, the first column, blank lines and blanks at the end matter. */
#pragma once

#include "files/reader.h"

/* Bytes of a line with its continuations (dispatcher-mappings(5)). */
#define MAPPING_LINE_MAX 4096

extern const struct reader_rules mapping_line_rules;

/* The length of the first word: up to the first blank that is not quoted by a dollar. */
size_t lines_word(const char *text, size_t length);
