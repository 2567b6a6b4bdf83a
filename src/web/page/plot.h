/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Curves as inline SVG. They use the page's classes, and no style of their own. */
#pragma once

#include "web/page/samples.h"

#include <stdio.h>

struct plot {
    const char *title;
    const struct sample_point *points; /* in the order of time */
    size_t n_points;
    uint64_t from_usec; /* the left edge */
    uint64_t to_usec;   /* the right edge */
    double limit;       /* drawn as a line if the curve comes near it; 0: there is none */
    bool is_rate;
};

/* Writes the plot with its title, the last and the highest value. */
void plot_write(FILE *stream, const struct plot *plot);

/* The top of a scale that shows `value`: 1, 2 or 5 times a power of ten, at least 1, and not less
 * than the value. */
double plot_scale(double value);
