/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/config/due.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *due_command_of(unsigned kinds)
{
    if (kinds & (DUE_DAEMON_RELOAD | DUE_RESTART))
        return "dispatcherctl apply";
    return kinds & DUE_RELOAD ? "dispatcherctl reload" : "";
}

static void due_free(struct due *item)
{
    free(item->service);
    free(item->file);
    free(item->text);
}

void due_add(struct due_list *list, const char *service, const struct origin *origin,
             unsigned kinds, const char *format, ...)
{
    char words[512];
    struct due *items = reallocarray(list->items, list->n_items + 1, sizeof(*items));
    va_list arguments;

    if (!items)
        return;
    list->items = items;
    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    struct due item = {
        .service = service ? strdup(service) : NULL,
        .file = strdup(origin && origin->file ? origin->file : "dispatcher.cnf"),
        .line = origin ? origin->line : 0,
        .text = strdup(words),
        .kinds = kinds,
    };
    if ((service && !item.service) || !item.file || !item.text) {
        due_free(&item);
        return;
    }
    list->items[list->n_items++] = item;
    list->kinds |= kinds;
}

bool due_has_service(const struct due_list *list, const char *service)
{
    for (size_t i = 0; i < list->n_items; i++)
        if (list->items[i].service && str_equal_nocase(list->items[i].service, service))
            return true;
    return false;
}

const char *due_command(const struct due_list *list)
{
    return due_command_of(list->kinds);
}

void due_add_problems(const struct due_list *list, struct problem_list *problems)
{
    for (size_t i = 0; i < list->n_items; i++)
        problem_add(problems, PROBLEM_WARNING, list->items[i].file, list->items[i].line,
                    "%s; to follow: %s", list->items[i].text, due_command_of(list->items[i].kinds));
}

bool due_equal(const struct due_list *a, const struct due_list *b)
{
    if (a->n_items != b->n_items)
        return false;
    for (size_t i = 0; i < a->n_items; i++)
        if (strcmp(a->items[i].text, b->items[i].text) != 0 ||
            a->items[i].kinds != b->items[i].kinds)
            return false;
    return true;
}

void due_clear(struct due_list *list)
{
    for (size_t i = 0; i < list->n_items; i++)
        due_free(&list->items[i]);
    free(list->items);
    *list = (struct due_list){0};
}
