#include "dispatcherctl/table.h"

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

char *table_printable(char *text)
{
    for (char *c = text; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return text;
}

static int make_room(struct table *table)
{
    if (table->n_cells < table->capacity)
        return 0;
    size_t capacity = table->capacity > 0 ? 2 * table->capacity : 64;
    char **cells = reallocarray(table->cells, capacity, sizeof(*cells));
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
    table->cells[table->n_cells] = text ? table_printable(text) : NULL;
    if (text)
        table->n_cells++;
    else
        table->error = -ENOMEM;
}

static void measure(const struct table *table, size_t widths[])
{
    for (size_t i = 0; i < table->n_columns; i++)
        widths[i] = strlen(table->columns[i].title);
    for (size_t i = 0; i < table->n_cells; i++) {
        size_t length = strlen(table->cells[i]);

        if (length > widths[i % table->n_columns])
            widths[i % table->n_columns] = length;
    }
}

/* No blanks at the end of a line. */
static void print_cell(const struct table *table, size_t column, size_t width, const char *text,
                       FILE *stream)
{
    bool is_last = column + 1 == table->n_columns;

    if (table->columns[column].align == TABLE_RIGHT)
        fprintf(stream, "%*s", (int)width, text);
    else if (is_last)
        fputs(text, stream);
    else
        fprintf(stream, "%-*s", (int)width, text);
    fputs(is_last ? "\n" : "  ", stream);
}

int table_print(const struct table *table, FILE *stream)
{
    size_t widths[TABLE_COLUMNS_MAX];

    if (table->error < 0)
        return table->error;
    assert(table->n_cells % table->n_columns == 0);
    measure(table, widths);
    for (size_t i = 0; i < table->n_columns; i++)
        print_cell(table, i, widths[i], table->columns[i].title, stream);
    for (size_t i = 0; i < table->n_cells; i++)
        print_cell(table, i % table->n_columns, widths[i % table->n_columns], table->cells[i],
                   stream);
    return ferror(stream) ? -EIO : 0;
}

void table_clear(struct table *table)
{
    for (size_t i = 0; i < table->n_cells; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct table){0};
}
