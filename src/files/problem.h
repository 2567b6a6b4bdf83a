/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Problems of a configuration file. They are collected, so that all can be reported at once. */
#pragma once

#include "base/macro.h"

#include <stddef.h>
#include <stdio.h>

enum problem_severity {
    PROBLEM_WARNING, /* the text says what is done instead */
    PROBLEM_ERROR,   /* the configuration cannot be used */
};

struct problem {
    enum problem_severity severity;
    char *file;    /* owned */
    unsigned line; /* from 1; 0: the file as a whole */
    char *text;    /* owned: what is wrong, and what would be right */
};

/* How many errors and how many warnings are kept; further ones are only counted. A file of random
 * bytes has a problem in every line, and nobody reads more than a hundred. */
#define PROBLEMS_MAX 100

/* Owns its problems. All zero is an empty list. */
struct problem_list {
    struct problem *items;
    size_t n_items;
    size_t n_errors;   /* all of them, kept or not */
    size_t n_warnings; /* likewise */
};

/* Adds a problem. Without memory it is counted, but not kept. */
void problem_add(struct problem_list *list, enum problem_severity severity, const char *file,
                 unsigned line, const char *format, ...) _printf_(5, 6);

/* Writes "FILE:LINE: error: TEXT" ("FILE: …" without a line; "warning: " for warnings) to
 * `text[size]`; unprintable bytes become "?". Returns `text`. */
const char *problem_format(const struct problem *problem, char *text, size_t size);

/* Prints one line for each, and how many more there were. */
void problem_list_print(const struct problem_list *list, FILE *stream);

/* Frees all it owns; the list is empty afterwards. */
void problem_list_clear(struct problem_list *list);
