/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Colour, if it is seen and wanted. */
#pragma once

#include <stdint.h>
#include <stdio.h>

enum style {
    STYLE_PLAIN,
    STYLE_BOLD,
    STYLE_DIM,
    STYLE_GOOD,
    STYLE_WARNING,
    STYLE_BAD,
};

/* Decides once for what goes to the descriptor: a terminal that is not dumb, and NO_COLOR (see
 * https://no-color.org) is not set. Before this is called there is no colour. */
void style_start(int fd);

/* What switches a style on, and off again; "" if there is no colour. */
const char *style_on(enum style style);
const char *style_off(enum style style);

/* Of a gauge, beside its limit: a warning near it, bad at it. A limit of 0 is none. */
enum style style_of_gauge(int64_t value, int64_t limit);
