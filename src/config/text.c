/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "config/text.h"

#include <string.h>

static const char blanks[] = " \t";

char *text_trim(char *text)
{
    text += strspn(text, blanks);
    size_t length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]))
        length--;
    text[length] = '\0';
    return text;
}

bool text_has_comment(const char *text)
{
    for (const char *c = text; (c = strpbrk(c, " \t")); c++)
        if (c[1] == '!' || c[1] == ';' || c[1] == '#')
            return true;
    return false;
}
