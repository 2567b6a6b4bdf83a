/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Tables for people: columns as wide as their widest cell, numbers aligned to the right. */
#pragma once

#include "base/macro.h"
#include "dispatcherctl/views/style.h"

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
    int error; /* 0, or -ENOMEM: a cell is missing, and nothing will be printed */
};

/* An empty table of at most TABLE_COLUMNS_MAX columns. */
struct table table_init(const struct table_column columns[], size_t n_columns);

/* Adds the next cell of the row, or the first cell of the next row. Bytes that are not printable
 * ASCII become "?", so that nothing from a stranger controls the terminal. An empty cell is shown
 * as "-". */
void table_add(struct table *table, const char *format, ...) _printf_(2, 3);

/* Sets the style of the last cell. */
void table_style(struct table *table, enum style style);

/* Prints the titles and all rows. Returns 0 or a negative errno. */
int table_print(const struct table *table, FILE *stream);

void table_clear(struct table *table);

/* Prints one line. Bytes that are not printable ASCII become "?", so that nothing from a stranger
 * controls the terminal. */
void table_line(FILE *stream, const char *format, ...) _printf_(2, 3);
