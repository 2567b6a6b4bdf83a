/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/fleet/fleet_key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "dispatcherd:{fleet}:"

static const char kind_letters[] = {[THROTTLE_PLAIN] = 'c', [THROTTLE_PENALTY] = 'p'};

static size_t n_bytes(uint32_t family)
{
    return family == AF_INET ? 4 : 8;
}

void fleet_key_format(const struct throttle_key *key, uint64_t window, char text[FLEET_KEY_MAX])
{
    int n =
        snprintf(text, FLEET_KEY_MAX, PREFIX "%" PRIu64 ":%c:%" PRIu32 ":%c:", window,
                 kind_letters[key->kind], key->max_rate, key->source.family == AF_INET ? '4' : '6');

    for (size_t i = 0; i < n_bytes(key->source.family); i++)
        n += snprintf(text + n, FLEET_KEY_MAX - (size_t)n, "%02x", key->source.prefix[i]);
}

void fleet_key_format_full(uint64_t window, char text[FLEET_KEY_MAX])
{
    snprintf(text, FLEET_KEY_MAX, PREFIX "full:%" PRIu64, window);
}

/* Reads digits and the colon behind them. */
static bool read_number(const char **text, uint64_t max, uint64_t *ret)
{
    uint64_t value = 0;
    const char *c = *text;

    for (; *c >= '0' && *c <= '9'; c++) {
        value = value * 10 + (uint64_t)(*c - '0');
        if (value > max)
            return false;
    }
    if (c == *text || *c != ':')
        return false;
    *text = c + 1;
    *ret = value;
    return true;
}

static bool read_kind(const char **text, uint32_t *ret)
{
    for (uint32_t kind = 0; kind < sizeof(kind_letters); kind++)
        if ((*text)[0] == kind_letters[kind] && (*text)[1] == ':') {
            *text += 2;
            *ret = kind;
            return true;
        }
    return false;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *place = c ? strchr(digits, c) : NULL;

    return place ? (int)(place - digits) : -1;
}

static bool read_source(const char *text, struct source *ret)
{
    if ((text[0] != '4' && text[0] != '6') || text[1] != ':')
        return false;
    ret->family = text[0] == '4' ? AF_INET : AF_INET6;
    text += 2;
    if (strlen(text) != 2 * n_bytes(ret->family))
        return false;
    for (size_t i = 0; i < n_bytes(ret->family); i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        ret->prefix[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool fleet_key_parse(const char *text, struct throttle_key *ret, uint64_t *ret_window)
{
    struct throttle_key key = {0};
    uint64_t window, rate;

    if (strncmp(text, PREFIX, strlen(PREFIX)) != 0)
        return false;
    text += strlen(PREFIX);
    if (!read_number(&text, UINT64_MAX / 100, &window) || !read_kind(&text, &key.kind) ||
        !read_number(&text, UINT32_MAX, &rate) || !read_source(text, &key.source))
        return false;
    key.max_rate = (uint32_t)rate;
    *ret = key;
    *ret_window = window;
    return true;
}
