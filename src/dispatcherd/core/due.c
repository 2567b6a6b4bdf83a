/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/due.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The service first: systemd refuses to start a socket while its service runs. */
static void add_restart(struct str_buffer *text, const struct str_list *sockets)
{
    if (!sockets || sockets->n_items == 0) {
        str_buffer_add(text, "systemctl restart dispatcherd");
        return;
    }
    str_buffer_add(text, "systemctl restart dispatcherd.service");
    for (size_t i = 0; i < sockets->n_items; i++)
        str_buffer_add(text, " %s", sockets->items[i]);
}

static void compose(unsigned kinds, const struct str_list *sockets, struct str_buffer *text)
{
    const char *and = kinds & DUE_DAEMON_RELOAD ? " && " : "";

    if (kinds & DUE_DAEMON_RELOAD)
        str_buffer_add(text, "systemctl daemon-reload");
    if (kinds & DUE_RESTART) {
        str_buffer_add(text, "%s", and);
        add_restart(text, sockets);
    } else if (kinds & DUE_RELOAD) {
        str_buffer_add(text, "%sdispatcherctl reload", and);
    }
}

static void due_free(struct due *item)
{
    free(item->service);
    free(item->file);
    free(item->text);
    free(item->command);
}

static void add_sockets(struct due_list *list, const struct str_list *sockets)
{
    for (size_t i = 0; i < sockets->n_items; i++)
        (void)str_list_append(&list->sockets, sockets->items[i]);
}

void due_add(struct due_list *list, const char *service, const struct origin *origin,
             unsigned kinds, const struct str_list *sockets, const char *format, ...)
{
    char words[512], command[DUE_COMMAND_MAX];
    struct str_buffer composed = str_buffer_init(command, sizeof(command));
    struct due *items = reallocarray(list->items, list->n_items + 1, sizeof(*items));
    va_list arguments;

    if (!items)
        return;
    list->items = items;
    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    compose(kinds, sockets, &composed);
    struct due item = {
        .service = service ? strdup(service) : NULL,
        .file = strdup(origin && origin->file ? origin->file : "dispatcher.cnf"),
        .line = origin ? origin->line : 0,
        .text = strdup(words),
        .command = strdup(command),
    };
    if ((service && !item.service) || !item.file || !item.text || !item.command) {
        due_free(&item);
        return;
    }
    list->items[list->n_items++] = item;
    list->kinds |= kinds;
    if (sockets)
        add_sockets(list, sockets);
}

bool due_has_service(const struct due_list *list, const char *service)
{
    for (size_t i = 0; i < list->n_items; i++)
        if (list->items[i].service && str_equal_nocase(list->items[i].service, service))
            return true;
    return false;
}

const char *due_command(const struct due_list *list, char text[DUE_COMMAND_MAX])
{
    struct str_buffer buffer = str_buffer_init(text, DUE_COMMAND_MAX);

    compose(list->kinds, &list->sockets, &buffer);
    return text;
}

void due_add_problems(const struct due_list *list, struct problem_list *problems)
{
    for (size_t i = 0; i < list->n_items; i++)
        problem_add(problems, PROBLEM_WARNING, list->items[i].file, list->items[i].line,
                    "%s; to follow: %s", list->items[i].text, list->items[i].command);
}

bool due_equal(const struct due_list *a, const struct due_list *b)
{
    if (a->n_items != b->n_items)
        return false;
    for (size_t i = 0; i < a->n_items; i++)
        if (strcmp(a->items[i].text, b->items[i].text) != 0 ||
            strcmp(a->items[i].command, b->items[i].command) != 0)
            return false;
    return true;
}

void due_clear(struct due_list *list)
{
    for (size_t i = 0; i < list->n_items; i++)
        due_free(&list->items[i]);
    free(list->items);
    str_list_clear(&list->sockets);
    *list = (struct due_list){0};
}
