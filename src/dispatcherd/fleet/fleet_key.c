/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/fleet/fleet_key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "dispatcherd:{fleet}:"
#define OPEN   "open:"

static const char kind_letters[] = {[THROTTLE_PLAIN] = 'c', [THROTTLE_PENALTY] = 'p'};

static size_t n_bytes(uint32_t family)
{
    return family == AF_INET ? 4 : 8;
}

static void format_source(const struct source *source, char *text, size_t size)
{
    int n = snprintf(text, size, "%c:", source->family == AF_INET ? '4' : '6');

    for (size_t i = 0; i < n_bytes(source->family); i++)
        n += snprintf(text + n, size - (size_t)n, "%02x", source->prefix[i]);
}

void fleet_key_format(const struct throttle_key *key, uint64_t window, char text[FLEET_KEY_MAX])
{
    int n = snprintf(text, FLEET_KEY_MAX, PREFIX "%" PRIu64 ":%c:%" PRIu32, window,
                     kind_letters[key->kind], key->max_rate);

    if (key->window_sec > 0)
        n += snprintf(text + n, FLEET_KEY_MAX - (size_t)n, "/%" PRIu32, key->window_sec);
    text[n++] = ':';
    format_source(&key->source, text + n, FLEET_KEY_MAX - (size_t)n);
}

void fleet_key_format_full(uint64_t window, char text[FLEET_KEY_MAX])
{
    snprintf(text, FLEET_KEY_MAX, PREFIX "full:%" PRIu64, window);
}

/* Reads digits and the character behind them. */
static bool read_number(const char **text, char end, uint64_t max, uint64_t *ret)
{
    uint64_t value = 0;
    const char *c = *text;

    for (; *c >= '0' && *c <= '9'; c++) {
        value = value * 10 + (uint64_t)(*c - '0');
        if (value > max)
            return false;
    }
    if (c == *text || *c != end)
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
    uint64_t window, rate, window_sec = 0;

    if (strncmp(text, PREFIX, strlen(PREFIX)) != 0)
        return false;
    text += strlen(PREFIX);
    if (!read_number(&text, ':', UINT64_MAX / 100, &window) || !read_kind(&text, &key.kind) ||
        (!read_number(&text, ':', UINT32_MAX, &rate) &&
         (!read_number(&text, '/', UINT32_MAX, &rate) ||
          !read_number(&text, ':', THROTTLE_WINDOW_MAX_SEC, &window_sec) ||
          window_sec < THROTTLE_WINDOW_MIN_SEC)) ||
        !read_source(text, &key.source))
        return false;
    key.window_sec = (uint32_t)window_sec;
    key.max_rate = (uint32_t)rate;
    *ret = key;
    *ret_window = window;
    return true;
}

void fleet_key_format_open(const struct open_key *key, char text[FLEET_KEY_MAX])
{
    int n = snprintf(text, FLEET_KEY_MAX, PREFIX OPEN "%s:", key->service);

    format_source(&key->source, text + n, FLEET_KEY_MAX - (size_t)n);
}

bool fleet_key_parse_open(const char *text, struct open_key *ret)
{
    char service[OPEN_SERVICE_MAX];
    struct source source = {0};

    if (strncmp(text, PREFIX OPEN, strlen(PREFIX OPEN)) != 0)
        return false;
    text += strlen(PREFIX OPEN);
    size_t length = strcspn(text, ":");
    if (length == 0 || length >= sizeof(service) || text[length] != ':' ||
        !read_source(text + length + 1, &source))
        return false;
    memcpy(service, text, length);
    service[length] = '\0';
    return open_key_set(ret, service, &source);
}
