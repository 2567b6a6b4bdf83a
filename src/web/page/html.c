/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "web/page/html.h"

#include "base/utf8.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const char *entity(uint32_t character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '`':
        return "&#96;";
    default:
        return NULL;
    }
}

void html_text(FILE *stream, const char *text)
{
    const char *end = text + strlen(text);

    while (text < end) {
        uint32_t character;
        size_t length = utf8_decode(text, (size_t)(end - text), &character);
        bool is_hidden =
            length == 0 || (utf8_is_hidden(character) && character != '\n' && character != '\t');

        if (is_hidden)
            fputs("\xef\xbf\xbd", stream);
        else if (entity(character))
            fputs(entity(character), stream);
        else
            fwrite(text, 1, length, stream);
        text += length > 0 ? length : 1;
    }
}
