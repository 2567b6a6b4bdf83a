/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "files/invisible.h"

#include "base/macro.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";

/* In the order of the code points, with the Unicode name if a person would know it. */
static const struct {
    uint32_t first, last;
    const char *name;
} ranges[] = {
    {0x00, 0x08, "a control character"},
    {0x0a, 0x0c, "a control character"},
    {0x0d, 0x0d, "a carriage return (lines end in LF, or CR and LF)"},
    {0x0e, 0x1f, "a control character"},
    {0x7f, 0x9f, "a control character"},
    {0xa0, 0xa0, "a no-break space (U+00A0)"},
    {0xad, 0xad, "a soft hyphen (U+00AD)"},
    {0x61c, 0x61c, "an Arabic letter mark (U+061C)"},
    {0x1680, 0x1680, "a space other than the blank (U+1680)"},
    {0x180e, 0x180e, "a zero-width vowel separator (U+180E)"},
    {0x2000, 0x200a, "a space other than the blank (U+2000 to U+200A)"},
    {0x200b, 0x200d, "a zero-width space or joiner (U+200B to U+200D)"},
    {0x200e, 0x200f, "a text direction mark (U+200E, U+200F)"},
    {0x2028, 0x2029, "a line or paragraph separator (U+2028, U+2029)"},
    {0x202a, 0x202e, "a text direction mark (U+202A to U+202E)"},
    {0x202f, 0x202f, "a narrow no-break space (U+202F)"},
    {0x205f, 0x205f, "a space other than the blank (U+205F)"},
    {0x2060, 0x2064, "a zero-width joiner or operator (U+2060 to U+2064)"},
    {0x2066, 0x206f, "a text direction mark (U+2066 to U+206F)"},
    {0x3000, 0x3000, "an ideographic space (U+3000)"},
    {0xfe00, 0xfe0f, "a variation selector (U+FE00 to U+FE0F)"},
    {0xfeff, 0xfeff, "a byte order mark (U+FEFF)"},
};

size_t invisible_mark_length(const char *text, size_t length)
{
    size_t n = strlen(byte_order_mark);

    return length >= n && memcmp(text, byte_order_mark, n) == 0 ? n : 0;
}

/* Reads a UTF-8 character. Returns its length; 1 with the byte itself if it is no character. */
static size_t read_character(const char *text, size_t length, uint32_t *ret)
{
    unsigned char first = (unsigned char)text[0];
    size_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;

    *ret = first;
    if (n == 1 || n > length)
        return 1;
    uint32_t value = first & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 1;
        value = value << 6 | ((unsigned char)text[i] & 0x3fU);
    }
    *ret = value;
    return n;
}

static bool is_plain(char c)
{
    return (c >= ' ' && c <= '~') || c == '\t';
}

int invisible_find(const char *text, size_t length, struct invisible *ret)
{
    size_t column = 0;

    for (size_t at = 0; at < length;) {
        uint32_t value;

        column++;
        if (is_plain(text[at])) {
            at++;
            continue;
        }
        size_t n = read_character(text + at, length - at, &value);
        at += n;
        /* If a byte of 0x80 or above is no UTF-8, its encoding is unknown; but the no-break space
         * is 0xa0 in all of ISO 8859. */
        if (n == 1 && value >= 0x80 && value != 0xa0)
            continue;
        for (size_t i = 0; i < ELEMENTSOF(ranges); i++)
            if (value >= ranges[i].first && value <= ranges[i].last) {
                *ret = (struct invisible){.column = column, .name = ranges[i].name};
                return 1;
            }
    }
    return 0;
}
