/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "import/foreign_networks.h"

#include "files/networks.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The most numbers in braces: a byte has no more values. */
#define FACTORS_MAX 256

#define WORD_MAX 128

/* Reads up to four numbers with dots between them; *ret_n is how many there are. */
static bool parse_numbers(const char *text, unsigned numbers[4], unsigned *ret_n)
{
    unsigned n = 0;

    while (n < 4) {
        char *end;

        if (!isdigit((unsigned char)*text))
            return false;
        unsigned long value = strtoul(text, &end, 10);
        if (value > 255)
            return false;
        numbers[n++] = (unsigned)value;
        if (!*end) {
            *ret_n = n;
            return true;
        }
        if (*end != '.')
            return false;
        text = end + 1;
        /* for "192.0.2." */
        if (!*text) {
            *ret_n = n;
            return true;
        }
    }
    return false;
}

/* Missing numbers are wildcards, and so are zeros at the end unless they are `exact`. */
static bool add_numbers(struct importing *importing, const char *text, bool is_exact,
                        struct str_list *ret)
{
    unsigned numbers[4] = {0}, n;

    if (!parse_numbers(text, numbers, &n))
        return false;
    unsigned bits = 32;
    for (unsigned i = 4; i > 0 && (i > n || (numbers[i - 1] == 0 && !is_exact)); i--)
        bits -= 8;
    import_add(importing, ret, "%u.%u.%u.%u/%u", numbers[0], numbers[1], numbers[2], numbers[3],
               bits);
    return true;
}

/* Reads "192.0.2.{1,3,5}", in which 0 is a number as any other. */
static bool add_factors(struct importing *importing, const char *word, struct str_list *ret)
{
    char text[WORD_MAX], whole[2 * WORD_MAX], *rest = NULL;
    unsigned n = 0;

    snprintf(text, sizeof(text), "%s", word);
    char *open = strchr(text, '{'), *close = strchr(text, '}');
    if (!open || !close || close < open || close[1])
        return false;
    *open = *close = '\0';
    for (char *factor = strtok_r(open + 1, ",", &rest); factor && n < FACTORS_MAX;
         factor = strtok_r(NULL, ",", &rest), n++) {
        snprintf(whole, sizeof(whole), "%s%s", text, factor);
        if (!add_numbers(importing, whole, true, ret))
            return false;
    }
    return n > 0;
}

/* Bits beyond the prefix, which people sometimes write, are ignored. */
static bool add_prefix(struct importing *importing, const char *word, struct str_list *ret)
{
    char text[WORD_MAX], *end;
    struct address address;

    snprintf(text, sizeof(text), "%s", word);
    char *slash = strchr(text, '/');
    if (slash)
        *slash = '\0';
    if (address_parse(text, &address) < 0)
        return false;
    unsigned max = address.family == AF_INET ? 32 : 128;
    unsigned long bits = slash ? strtoul(slash + 1, &end, 10) : max;
    if (slash && (!isdigit((unsigned char)slash[1]) || *end || bits > max))
        return false;
    for (unsigned i = (unsigned)bits; i < max; i++)
        address.bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
    char formatted[ADDRESS_TEXT_MAX];
    import_add(importing, ret, "%s/%lu", address_format_host(&address, formatted), bits);
    return true;
}

bool foreign_network_add(struct importing *importing, const char *word, struct str_list *ret)
{
    if (strlen(word) >= WORD_MAX)
        return false;
    if (strchr(word, '{'))
        return add_factors(importing, word, ret);
    if (strchr(word, '/') || strchr(word, ':'))
        return add_prefix(importing, word, ret);
    return add_numbers(importing, word, false, ret);
}
