/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Tables for people: columns as wide as their widest cell, numbers to the right. */
#pragma once

#include "base/macro.h"
#include "dispatcherctl/style.h"

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 16

enum table_align {
    TABLE_LEFT,
    TABLE_RIGHT,
};

struct table_column {
    const char *title;
    enum table_align align;
};

struct table_cell {
    char *text; /* owned */
    enum style style;
};

struct table {
    const struct table_column *columns; /* n_columns of them, the caller's */
    size_t n_columns;
    struct table_cell *cells; /* row by row, n_cells of them; the last row may be incomplete */
    size_t n_cells;
    size_t capacity;
    int error; /* 0, or -ENOMEM: a cell is lacking, and nothing is printed */
};

/* An empty table of at most TABLE_COLUMNS_MAX columns. */
struct table table_init(const struct table_column columns[], size_t n_columns);

/* The next cell of the row, or the first of the next. Bytes that are not printable ASCII become
 * "?", so that nothing from a stranger steers the terminal. An empty cell shows as "-". */
void table_add(struct table *table, const char *format, ...) _printf_(2, 3);

/* The style of the cell that was added last. */
void table_style(struct table *table, enum style style);

/* Prints the titles and all rows. Returns 0 or a negative errno. */
int table_print(const struct table *table, FILE *stream);

void table_clear(struct table *table);

/* Replaces each byte that is not printable ASCII by "?". Returns `text`. */
char *table_printable(char *text);
