/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/views/style.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From this percentage of its limit on, a gauge is shown as near it. */
#define NEAR_PERCENT 80

static bool has_colour;

void style_start(int fd)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    has_colour =
        isatty(fd) && !(no_color && *no_color) && term && *term && strcmp(term, "dumb") != 0;
}

const char *style_on(enum style style)
{
    static const char *const codes[] = {
        [STYLE_PLAIN] = "",        [STYLE_BOLD] = "\033[1m",     [STYLE_DIM] = "\033[2m",
        [STYLE_GOOD] = "\033[32m", [STYLE_WARNING] = "\033[33m", [STYLE_BAD] = "\033[1;31m",
    };

    return has_colour ? codes[style] : "";
}

const char *style_off(enum style style)
{
    return has_colour && style != STYLE_PLAIN ? "\033[0m" : "";
}

enum style style_of_gauge(int64_t value, int64_t limit)
{
    if (limit <= 0 || value * 100 < limit * NEAR_PERCENT)
        return STYLE_PLAIN;
    return value >= limit ? STYLE_BAD : STYLE_WARNING;
}
