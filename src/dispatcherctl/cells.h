/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Members of replies as cells of a table. */
#pragma once

#include "dispatcherctl/table.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

void cell_text(struct table *table, const json_t *object, const char *name);
void cell_number(struct table *table, const json_t *object, const char *name);
void cell_yes_no(struct table *table, const json_t *object, const char *name);

/* "12/60", in the colour that it deserves. */
void cell_gauge(struct table *table, const json_t *object, const char *name);

/* The same, if it is as good to be at the limit as below it. */
void cell_plain_gauge(struct table *table, const json_t *object, const char *name);

/* How long ago it was. */
void cell_age(struct table *table, const json_t *object, const char *name, uint64_t now);

/* From one moment of the object to another. */
void cell_span(struct table *table, const json_t *object, const char *from, const char *to);

/* A number of microseconds. */
void cell_usec(struct table *table, const json_t *object, const char *name);

/* "ADDRESS:PORT" */
void cell_address(struct table *table, const json_t *object, const char *name);

/* A service's state, in its colour. */
void cell_state(struct table *table, const json_t *service);

/* "MIN/AVERAGE/MAX" of an object with these members; of spans if `is_usec`. "-" if nothing
 * was counted yet. */
void cell_extremes(struct table *table, const json_t *object, bool is_usec);

/* Writes "ADDRESS:PORT". */
struct str_buffer;
void format_address(const json_t *object, struct str_buffer *buffer);

/* Prints the table, and frees its cells. Returns 0 or a negative errno. */
int print_and_clear(struct table *table, FILE *stream);

/* Adds the cells of one item. `now` is the reply's. */
typedef void (*row_function)(struct table *table, const json_t *item, uint64_t now);

/* Prints a table with a row for each item of the array. Returns 0 or a negative errno. */
int print_rows(const struct table_column columns[], size_t n_columns, const json_t *array,
               uint64_t now, row_function add_row, FILE *stream);
