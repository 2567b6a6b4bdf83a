/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "web/page/plot.h"

#include "web/page/html.h"

#include <math.h>

/* Of the drawing, which the page scales. */
#define WIDTH  360.0
#define HEIGHT 80.0

double plot_scale(double value)
{
    double scale = 1;

    for (unsigned i = 0; scale < value && isfinite(value); i++)
        scale *= i % 3 == 1 ? 2.5 : 2;
    return scale;
}

/* A whole number has no decimals; small rates have one more. */
static void write_value(FILE *stream, double value, bool is_rate)
{
    int n_digits = value == floor(value) ? 0 : value < 1 ? 2 : 1;

    fprintf(stream, "%.*f%s", n_digits, value, is_rate ? "/s" : "");
}

static double x_of(const struct plot *plot, uint64_t at_usec)
{
    double span = (double)(plot->to_usec - plot->from_usec);

    return span > 0 ? (double)(at_usec - plot->from_usec) / span * WIDTH : 0;
}

static double y_of(double value, double top)
{
    return HEIGHT - value / top * HEIGHT;
}

static bool is_in_sight(const struct plot *plot, const struct sample_point *point)
{
    return point->at_usec >= plot->from_usec && point->at_usec <= plot->to_usec;
}

static double highest(const struct plot *plot)
{
    double value = 0;

    for (size_t i = 0; i < plot->n_points; i++)
        if (is_in_sight(plot, &plot->points[i]))
            value = fmax(value, plot->points[i].value);
    return value;
}

/* The curve, and an area below each part of it that has no gap. */
static void write_area(FILE *stream, const struct plot *plot, double top)
{
    double x = 0;
    bool is_open = false;

    fputs("<path class=\"area\" d=\"", stream);
    for (size_t i = 0; i < plot->n_points; i++) {
        const struct sample_point *point = &plot->points[i];

        if (!is_in_sight(plot, point))
            continue;
        if (is_open && !point->is_joined)
            fprintf(stream, "L%.1f %.1fZ", x, HEIGHT);
        x = x_of(plot, point->at_usec);
        if (!is_open || !point->is_joined)
            fprintf(stream, "M%.1f %.1f", x, HEIGHT);
        fprintf(stream, "L%.1f %.1f", x, y_of(point->value, top));
        is_open = true;
    }
    if (is_open)
        fprintf(stream, "L%.1f %.1fZ", x, HEIGHT);
    fputs("\"/>", stream);
}

/* A point without neighbours is drawn as a dot: a line of length zero with round ends. */
static void write_line(FILE *stream, const struct plot *plot, double top)
{
    bool has_begun = false;

    fputs("<path class=\"line\" d=\"", stream);
    for (size_t i = 0; i < plot->n_points; i++) {
        const struct sample_point *point = &plot->points[i];

        if (!is_in_sight(plot, point))
            continue;
        double x = x_of(plot, point->at_usec), y = y_of(point->value, top);
        if (has_begun && point->is_joined)
            fprintf(stream, "L%.1f %.1f", x, y);
        else
            fprintf(stream, "M%.1f %.1fh0", x, y);
        has_begun = true;
    }
    fputs("\"/>", stream);
}

static void write_caption(FILE *stream, const struct plot *plot)
{
    fputs("<figcaption><span>", stream);
    html_text(stream, plot->title);
    fputs("</span> <b>", stream);
    if (plot->n_points > 0)
        write_value(stream, plot->points[plot->n_points - 1].value, plot->is_rate);
    else
        fputs("–", stream);
    fputs("</b></figcaption>", stream);
}

void plot_write(FILE *stream, const struct plot *plot)
{
    double max = highest(plot), top = plot_scale(max);

    /* The limit is drawn if the curve comes near it. */
    if (plot->limit > top && max * 2 >= plot->limit)
        top = plot->limit;
    fputs("<figure>", stream);
    write_caption(stream, plot);
    fprintf(stream,
            "<svg class=\"plot\" viewBox=\"0 -2 %.0f %.0f\" preserveAspectRatio=\"none\" "
            "role=\"img\" aria-label=\"",
            WIDTH, HEIGHT + 4);
    html_text(stream, plot->title);
    fputs(" over the last hour, highest ", stream);
    write_value(stream, max, plot->is_rate);
    fprintf(stream, "\"><path class=\"grid\" d=\"M0 0H%.0fM0 %.0fH%.0fM0 %.0fH%.0f\"/>", WIDTH,
            HEIGHT / 2, WIDTH, HEIGHT, WIDTH);
    if (plot->limit > 0 && plot->limit <= top)
        fprintf(stream, "<path class=\"limit\" d=\"M0 %.1fH%.0f\"/>", y_of(plot->limit, top),
                WIDTH);
    if (plot->n_points > 0) {
        write_area(stream, plot, top);
        write_line(stream, plot, top);
    }
    fputs("</svg><small><span>an hour ago</span> <span>scale 0 to ", stream);
    write_value(stream, top, plot->is_rate);
    fputs("</span> <span>now</span></small></figure>\n", stream);
}
