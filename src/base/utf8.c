/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/utf8.h"

#include "base/macro.h"

size_t utf8_decode(const char *text, size_t length, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)text;

    if (length == 0)
        return 0;
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (n == 0 || n > length || s[0] > 0xf4)
        return 0;
    uint32_t character = n == 1 ? s[0] : s[0] & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (s[i] & 0x3fU);
    }
    if (character < least[n] || character > 0x10ffff ||
        (character >= 0xd800 && character <= 0xdfff))
        return 0;
    *ret = character;
    return n;
}

/* In the order of the code points: Default_Ignorable_Code_Point of DerivedCoreProperties.txt,
 * Unicode 15, and the characters that control a terminal. */
static const struct {
    uint32_t first, last;
} hidden[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},
    {0x115f, 0x1160}, {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
    {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

bool utf8_is_hidden(uint32_t character)
{
    if (character >= ' ' && character <= '~')
        return false;
    for (size_t i = 0; i < ELEMENTSOF(hidden); i++)
        if (character >= hidden[i].first && character <= hidden[i].last)
            return true;
    return (character & 0xfffe) == 0xfffe; /* the last two of each plane are none */
}

void utf8_make_visible(char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        uint32_t character;
        size_t n = utf8_decode(text + at, length - at, &character);
        bool is_good =
            n > 0 && (!utf8_is_hidden(character) || character == '\n' || character == '\t');

        n += n == 0;
        for (size_t i = 0; i < n && !is_good; i++)
            text[at + i] = '?';
        at += n;
    }
}
