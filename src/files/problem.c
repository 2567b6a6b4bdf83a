/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "files/problem.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of one text. Longer ones are cut, since a hundred of them should stay small; the end of a
 * quotation matters least. */
#define PROBLEM_TEXT_MAX 1024

static void keep(struct problem_list *list, enum problem_severity severity, const char *file,
                 unsigned line, const char *text)
{
    struct problem *items = reallocarray(list->items, list->n_items + 1, sizeof(*items));

    if (!items)
        return;
    list->items = items;
    struct problem problem = {
        .severity = severity,
        .file = strdup(file),
        .line = line,
        .text = strdup(text),
    };
    if (!problem.file || !problem.text) {
        free(problem.file);
        free(problem.text);
        return;
    }
    list->items[list->n_items++] = problem;
}

void problem_add(struct problem_list *list, enum problem_severity severity, const char *file,
                 unsigned line, const char *format, ...)
{
    size_t *count = severity == PROBLEM_ERROR ? &list->n_errors : &list->n_warnings;
    char text[PROBLEM_TEXT_MAX];
    va_list arguments;

    if ((*count)++ >= PROBLEMS_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    keep(list, severity, file, line, text);
}

const char *problem_format(const struct problem *problem, char *text, size_t size)
{
    const char *severity = problem->severity == PROBLEM_ERROR ? "error" : "warning";

    if (problem->line > 0)
        snprintf(text, size, "%s:%u: %s: %s", problem->file, problem->line, severity,
                 problem->text);
    else
        snprintf(text, size, "%s: %s: %s", problem->file, severity, problem->text);
    return str_make_printable(text);
}

void problem_list_print(const struct problem_list *list, FILE *stream)
{
    char text[PROBLEM_TEXT_MAX];

    for (size_t i = 0; i < list->n_items; i++)
        fprintf(stream, "%s\n", problem_format(&list->items[i], text, sizeof(text)));
    size_t n_left_out = list->n_errors + list->n_warnings - list->n_items;
    if (n_left_out > 0)
        fprintf(stream, "and %zu more\n", n_left_out);
}

void problem_list_clear(struct problem_list *list)
{
    for (size_t i = 0; i < list->n_items; i++) {
        free(list->items[i].file);
        free(list->items[i].text);
    }
    free(list->items);
    *list = (struct problem_list){0};
}
