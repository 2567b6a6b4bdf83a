/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/views/table.h"

#include "base/str.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct table table_init(const struct table_column columns[], size_t n_columns)
{
    assert(n_columns <= TABLE_COLUMNS_MAX);
    return (struct table){.columns = columns, .n_columns = n_columns};
}

static int make_room(struct table *table)
{
    if (table->n_cells < table->capacity)
        return 0;
    size_t capacity = table->capacity > 0 ? 2 * table->capacity : 64;
    struct table_cell *cells = reallocarray(table->cells, capacity, sizeof(*cells));
    if (!cells)
        return -ENOMEM;
    table->cells = cells;
    table->capacity = capacity;
    return 0;
}

void table_add(struct table *table, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (n < 0 || make_room(table) < 0) {
        if (n >= 0)
            free(text);
        table->error = -ENOMEM;
        return;
    }
    if (n == 0) {
        free(text);
        text = strdup("-");
    }
    table->cells[table->n_cells] =
        (struct table_cell){.text = text ? str_make_printable(text) : NULL};
    if (text)
        table->n_cells++;
    else
        table->error = -ENOMEM;
}

void table_style(struct table *table, enum style style)
{
    if (table->n_cells > 0)
        table->cells[table->n_cells - 1].style = style;
}

static void measure(const struct table *table, size_t widths[])
{
    for (size_t i = 0; i < table->n_columns; i++)
        widths[i] = strlen(table->columns[i].title);
    for (size_t i = 0; i < table->n_cells; i++) {
        size_t length = strlen(table->cells[i].text);

        if (length > widths[i % table->n_columns])
            widths[i % table->n_columns] = length;
    }
}

/* A line has no blanks at its end. */
static void print_cell(const struct table *table, size_t column, size_t width,
                       const struct table_cell *cell, FILE *stream)
{
    bool is_last = column + 1 == table->n_columns;
    bool is_right = table->columns[column].align == TABLE_RIGHT;
    int n_blanks = (int)(width - strlen(cell->text));

    fprintf(stream, "%*s%s%s%s", is_right ? n_blanks : 0, "", style_on(cell->style), cell->text,
            style_off(cell->style));
    if (is_last)
        fputc('\n', stream);
    else
        fprintf(stream, "%*s", (is_right ? 0 : n_blanks) + 2, "");
}

int table_print(const struct table *table, FILE *stream)
{
    size_t widths[TABLE_COLUMNS_MAX];

    if (table->error < 0)
        return table->error;
    assert(table->n_cells % table->n_columns == 0);
    measure(table, widths);
    for (size_t i = 0; i < table->n_columns; i++)
        print_cell(table, i, widths[i],
                   &(struct table_cell){(char *)table->columns[i].title, STYLE_BOLD}, stream);
    for (size_t i = 0; i < table->n_cells; i++)
        print_cell(table, i % table->n_columns, widths[i % table->n_columns], &table->cells[i],
                   stream);
    return ferror(stream) ? -EIO : 0;
}

void table_clear(struct table *table)
{
    for (size_t i = 0; i < table->n_cells; i++)
        free(table->cells[i].text);
    free(table->cells);
    *table = (struct table){0};
}

void table_line(FILE *stream, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (n < 0)
        return;
    fprintf(stream, "%s\n", str_make_printable(text));
    free(text);
}
