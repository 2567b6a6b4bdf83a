/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Colours, if the output can show them and the user wants them. */
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

/* Decides once whether output to the descriptor has colours: it must be a terminal that is not
 * dumb, and NO_COLOR (https://no-color.org) must not be set. Before this call there are none. */
void style_start(int fd);

/* The sequence that switches a style on, or off; "" without colours. */
const char *style_on(enum style style);
const char *style_off(enum style style);

/* The style of a gauge: a warning near its limit, bad at it. A limit of 0 means none. */
enum style style_of_gauge(int64_t value, int64_t limit);
