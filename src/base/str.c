/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void str_cleanup(char **string)
{
    free(*string);
    *string = NULL;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_equal_nocase(const char *a, const char *b)
{
    for (; *a && lower(*a) == lower(*b); a++)
        b++;
    return lower(*a) == lower(*b);
}

bool str_starts_nocase(const char *string, const char *prefix)
{
    for (; *prefix; prefix++)
        if (lower(*string++) != lower(*prefix))
            return false;
    return true;
}

char *str_trim(char *text, const char *blanks)
{
    text += strspn(text, blanks);
    size_t length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]))
        length--;
    text[length] = '\0';
    return text;
}

char *str_make_printable(char *text)
{
    for (char *c = text; *c; c++)
        *c = str_printable(*c);
    return text;
}

const char *str_plural(uint64_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}

int str_list_append(struct str_list *list, const char *item)
{
    char **items = reallocarray(list->items, list->n_items + 1, sizeof(*items));

    if (!items)
        return -ENOMEM;
    list->items = items;
    char *copy = strdup(item);
    if (!copy)
        return -ENOMEM;
    list->items[list->n_items++] = copy;
    return 0;
}

bool str_list_equal(const struct str_list *a, const struct str_list *b)
{
    if (a->n_items != b->n_items)
        return false;
    for (size_t i = 0; i < a->n_items; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

int str_list_copy(const struct str_list *list, struct str_list *ret)
{
    struct str_list copy = {0};

    for (size_t i = 0; i < list->n_items; i++)
        if (str_list_append(&copy, list->items[i]) < 0) {
            str_list_clear(&copy);
            return -ENOMEM;
        }
    *ret = copy;
    return 0;
}

void str_list_clear(struct str_list *list)
{
    for (size_t i = 0; i < list->n_items; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct str_list){0};
}

struct str_buffer str_buffer_init(char *text, size_t size)
{
    text[0] = '\0';
    return (struct str_buffer){.text = text, .size = size};
}

void str_buffer_add(struct str_buffer *buffer, const char *format, ...)
{
    size_t room = buffer->size - buffer->length;
    va_list arguments;

    va_start(arguments, format);
    int n = vsnprintf(buffer->text + buffer->length, room, format, arguments);
    va_end(arguments);
    if (n < 0)
        return;
    if ((size_t)n >= room) {
        buffer->is_cut = true;
        buffer->length = buffer->size - 1;
    } else {
        buffer->length += (size_t)n;
    }
}
