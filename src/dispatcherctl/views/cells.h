/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Members of replies as cells of a table. */
#pragma once

#include "dispatcherctl/views/table.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* An item of a reply that was made at `now`. */
struct row {
    const json_t *item;
    uint64_t now;
};

/* Adds the member of that name as a cell. */
typedef void cell_function(struct table *table, const struct row *row, const char *name);

cell_function cell_text, cell_number, cell_yes_no, cell_tls;

/* A number of the item's statistics. */
cell_function cell_counter;

/* "12/60", coloured near the limit; the plain one is not, since its limit is no problem. */
cell_function cell_gauge, cell_plain_gauge;

/* How long ago that was. */
cell_function cell_age;

/* How long the item lasted, from that time to its end. */
cell_function cell_lasted;

/* How long a connection waited for its hand-off, from that time on. */
cell_function cell_waited;

/* A number of microseconds. */
cell_function cell_usec;

/* "ADDRESS:PORT" of a member, or of the item itself. */
cell_function cell_address, cell_own_address;

/* A service's state, in its colour. */
cell_function cell_state;

/* "MIN/AVERAGE/MAX" of the item's statistics: of numbers, and of spans of time. "-" if nothing was
 * counted yet. */
cell_function cell_extremes, cell_extremes_usec;

/* Writes "ADDRESS:PORT". */
struct str_buffer;
void format_address(const json_t *object, struct str_buffer *buffer);

/* A column of a table, and what its cells show. */
struct column {
    struct table_column head;
    cell_function *cell;
    const char *name;
};

#define ROW_TITLE_MAX 640

/* Writes the member `name` of the row, a service for instance: "SMTP", or "SMTP on mail1" if the
 * row is one of several hosts. Returns `text`. */
const char *row_title(const json_t *row, const char *name, char text[ROW_TITLE_MAX]);

/* Prints a table with a row for each item of the array. It has at most TABLE_COLUMNS_MAX columns,
 * of which one is the host's if the first item is of one among several hosts. `now` is that of the
 * reply. Returns 0 or a negative errno. */
int print_rows(const struct column columns[], size_t n_columns, const json_t *array, uint64_t now,
               FILE *stream);
