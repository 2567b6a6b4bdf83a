/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "control_client/duration.h"

#include "base/macro.h"
#include "base/time.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DURATION_MAX_USEC (UINT64_C(100) * 365 * 86400 * USEC_PER_SEC)

static void two_units(uint64_t value, unsigned small_in_large, const char *large, const char *small,
                      char text[DURATION_TEXT_MAX])
{
    uint64_t rest = value % small_in_large;

    if (rest > 0)
        snprintf(text, DURATION_TEXT_MAX, "%" PRIu64 "%s %" PRIu64 "%s", value / small_in_large,
                 large, rest, small);
    else
        snprintf(text, DURATION_TEXT_MAX, "%" PRIu64 "%s", value / small_in_large, large);
}

const char *duration_format(uint64_t usec, char text[DURATION_TEXT_MAX])
{
    uint64_t sec = usec / USEC_PER_SEC;

    if (usec > 0 && usec < USEC_PER_MSEC)
        snprintf(text, DURATION_TEXT_MAX, "%" PRIu64 "us", usec);
    else if (sec == 0)
        snprintf(text, DURATION_TEXT_MAX, "%" PRIu64 "ms", usec / USEC_PER_MSEC);
    else if (sec < 60)
        snprintf(text, DURATION_TEXT_MAX, "%" PRIu64 "s", sec);
    else if (sec < 3600)
        two_units(sec, 60, "min", "s", text);
    else if (sec < 86400)
        two_units(sec / 60, 60, "h", "min", text);
    else
        two_units(sec / 3600, 24, "d", "h", text);
    return text;
}

static uint64_t unit_usec(const char *name, size_t length)
{
    static const struct {
        const char *name;
        uint64_t usec;
    } units[] = {
        {"us", 1},
        {"ms", USEC_PER_MSEC},
        {"s", USEC_PER_SEC},
        {"min", 60 * USEC_PER_SEC},
        {"h", 3600 * USEC_PER_SEC},
        {"d", 86400 * USEC_PER_SEC},
    };

    for (size_t i = 0; i < ELEMENTSOF(units); i++)
        if (strlen(units[i].name) == length && memcmp(units[i].name, name, length) == 0)
            return units[i].usec;
    return 0;
}

/* Takes "NUMBER UNIT" and the blanks after it off the text. Returns 0 or -EINVAL. */
static int take_span(const char **text, bool is_alone, uint64_t *total)
{
    const char *at = *text;
    uint64_t value = 0;

    if (*at < '0' || *at > '9')
        return -EINVAL;
    for (; *at >= '0' && *at <= '9'; at++) {
        value = value * 10 + (uint64_t)(*at - '0');
        if (value > DURATION_MAX_USEC)
            return -EINVAL;
    }
    size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz");
    uint64_t unit = length > 0 ? unit_usec(at, length) : USEC_PER_SEC;
    if (unit == 0 || (length == 0 && (*at || !is_alone)) ||
        value > (DURATION_MAX_USEC - *total) / unit)
        return -EINVAL;
    *total += value * unit;
    at += length;
    *text = at + strspn(at, " ");
    return 0;
}

int duration_parse(const char *text, uint64_t *ret_usec)
{
    const char *at = text;
    uint64_t total = 0;

    do {
        int r = take_span(&at, at == text, &total);
        if (r < 0)
            return r;
    } while (*at);
    *ret_usec = total;
    return 0;
}
