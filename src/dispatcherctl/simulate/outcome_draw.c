/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/simulate/outcome.h"

#include "base/time.h"

#include <errno.h>
#include <inttypes.h>

/* Pixels: of a panel, and what is left free around its plot. */
#define WIDTH  640
#define HEIGHT 200
#define LEFT   60
#define RIGHT  150
#define TOP    30
#define BOTTOM 30

#define PLOT_WIDTH  (WIDTH - LEFT - RIGHT)
#define PLOT_HEIGHT (HEIGHT - TOP - BOTTOM)

/* Told apart by people who see few colours, too. */
static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                      "#e69f00", "#56b4e9", "#000000"};

#define N_COLOURS (sizeof(colours) / sizeof(colours[0]))

struct panel {
    FILE *stream;
    unsigned top;   /* pixels */
    double max;     /* of the values */
    size_t n_lines; /* in its legend */
};

static double panel_x(unsigned i, unsigned n)
{
    return LEFT + (double)PLOT_WIDTH * i / (n > 1 ? n - 1 : 1);
}

static double panel_y(const struct panel *panel, double value)
{
    return panel->top + TOP + PLOT_HEIGHT * (1 - value / panel->max);
}

static void panel_begin(struct panel *panel, const char *service, const char *what, double max,
                        const char *unit)
{
    panel->max = max > 0 ? max * 1.1 : 1;
    panel->n_lines = 0;
    fprintf(panel->stream,
            "<text x='%d' y='%u' font-weight='bold'>%s: %s</text>\n"
            "<rect x='%d' y='%u' width='%d' height='%d' fill='none' stroke='#999'/>\n",
            LEFT, panel->top + TOP - 8, service, what, LEFT, panel->top + TOP, PLOT_WIDTH,
            PLOT_HEIGHT);
    for (unsigned i = 0; i <= 2; i++)
        fprintf(panel->stream, "<text x='%d' y='%.1f' text-anchor='end'>%.4g%s</text>\n", LEFT - 6,
                panel_y(panel, panel->max * i / 2) + 4, panel->max * i / 2, unit);
}

/* A line through n values, with its name in the legend. */
static void panel_line(struct panel *panel, const char *name, const double values[], unsigned n)
{
    const char *colour = colours[panel->n_lines % N_COLOURS];

    fprintf(panel->stream, "<polyline fill='none' stroke='%s' stroke-width='1.5' points='", colour);
    for (unsigned i = 0; i < n; i++)
        fprintf(panel->stream, "%.1f,%.1f ", panel_x(i, n), panel_y(panel, values[i]));
    fprintf(panel->stream, "'/>\n<text x='%d' y='%zu' fill='%s'>%s</text>\n", WIDTH - RIGHT + 8,
            panel->top + TOP + 12 + 14 * panel->n_lines, colour, name);
    panel->n_lines++;
}

static void panel_label(const struct panel *panel, double x, const char *text)
{
    fprintf(panel->stream, "<text x='%.1f' y='%d' text-anchor='middle'>%s</text>\n", x,
            (int)panel->top + HEIGHT - BOTTOM + 16, text);
}

static void draw_workers_of(struct panel *panel, const char *name, const struct course *course)
{
    double values[COURSE_STEPS];

    for (unsigned i = 0; i < COURSE_STEPS; i++)
        values[i] = course_workers_in(course, i);
    panel_line(panel, name, values, COURSE_STEPS);
}

static void run_name(const struct outcomes *outcomes, const struct outcome_run *run, char text[64])
{
    if (outcomes->is_sweep)
        snprintf(text, 64, "%s=%" PRIu32, setting_name(&run->swept), run->swept.value);
    else
        snprintf(text, 64, "simulated");
}

static void draw_workers(struct panel *panel, const struct outcomes *outcomes,
                         const struct outcome *outcome)
{
    unsigned max = outcome->measured.workers_max;
    char text[64];

    for (size_t i = 0; i < outcome->n_runs; i++)
        if (outcome->runs[i].course.workers_max > max)
            max = outcome->runs[i].course.workers_max;
    panel_begin(panel, outcome->service->name, "workers", max, "");
    draw_workers_of(panel, "measured", &outcome->measured);
    for (size_t i = 0; i < outcome->n_runs; i++) {
        run_name(outcomes, &outcome->runs[i], text);
        draw_workers_of(panel, text, &outcome->runs[i].course);
    }
    snprintf(text, sizeof(text), "%.0f s",
             (double)(outcomes->recording->to - outcomes->recording->from) / USEC_PER_SEC);
    panel_label(panel, LEFT, "0");
    panel_label(panel, LEFT + PLOT_WIDTH, text);
}

static double wait_of(const struct course *course, unsigned per_mille)
{
    return (double)course_wait(course, per_mille) / USEC_PER_MSEC;
}

static void draw_values(const struct panel *panel, const struct outcome *outcome)
{
    unsigned n = (unsigned)outcome->n_runs;

    for (unsigned i = 0; i < n; i++) {
        char text[32];

        snprintf(text, sizeof(text), "%" PRIu32, outcome->runs[i].swept.value);
        panel_label(panel, panel_x(i, n), text);
    }
}

/* What each value leads to; the measured wait is a line across. */
static void draw_waits(struct panel *panel, const struct outcome *outcome)
{
    unsigned n = (unsigned)outcome->n_runs;
    double of_99[OUTCOME_VALUES_MAX] = {0}, of_50[OUTCOME_VALUES_MAX] = {0};
    double measured[OUTCOME_VALUES_MAX] = {0};
    double max = wait_of(&outcome->measured, 990);

    for (unsigned i = 0; i < n; i++) {
        of_99[i] = wait_of(&outcome->runs[i].course, 990);
        of_50[i] = wait_of(&outcome->runs[i].course, 500);
        measured[i] = wait_of(&outcome->measured, 990);
        max = of_99[i] > max ? of_99[i] : max;
    }
    panel_begin(panel, outcome->service->name, "wait", max, " ms");
    panel_line(panel, "measured, 99 %", measured, n);
    panel_line(panel, "simulated, 99 %", of_99, n);
    panel_line(panel, "simulated, 50 %", of_50, n);
    draw_values(panel, outcome);
}

/* The same for memory; nothing if the recording does not have it. */
static void draw_memory(struct panel *panel, const struct outcome *outcome)
{
    unsigned n = (unsigned)outcome->n_runs;
    double maxima[OUTCOME_VALUES_MAX] = {0}, means[OUTCOME_VALUES_MAX] = {0};
    double measured[OUTCOME_VALUES_MAX] = {0};
    double max = outcome->measured.kib_max / 1024;

    if (outcome->memory.n_samples == 0)
        return;
    for (unsigned i = 0; i < n; i++) {
        maxima[i] = outcome->runs[i].course.kib_max / 1024;
        means[i] = course_memory(&outcome->runs[i].course) / 1024;
        measured[i] = outcome->measured.kib_max / 1024;
        max = maxima[i] > max ? maxima[i] : max;
    }
    panel_begin(panel, outcome->service->name, "memory", max, " MiB");
    panel_line(panel, "measured, max", measured, n);
    panel_line(panel, "simulated, max", maxima, n);
    panel_line(panel, "simulated, mean", means, n);
    draw_values(panel, outcome);
    panel->top += HEIGHT;
}

/* Pixels. */
static size_t height_of(const struct outcomes *outcomes)
{
    size_t n_panels = 0;

    for (size_t i = 0; i < outcomes->n_items; i++)
        n_panels += outcomes->is_sweep ? 2 + (outcomes->items[i].memory.n_samples > 0) : 1;
    return n_panels * HEIGHT;
}

int outcomes_draw(const struct outcomes *outcomes, FILE *stream)
{
    struct panel panel = {.stream = stream};

    fprintf(stream,
            "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%zu' "
            "font-family='sans-serif' font-size='11'>\n<rect width='100%%' height='100%%' "
            "fill='white'/>\n",
            WIDTH, height_of(outcomes));
    for (size_t i = 0; i < outcomes->n_items; i++) {
        draw_workers(&panel, outcomes, &outcomes->items[i]);
        panel.top += HEIGHT;
        if (!outcomes->is_sweep)
            continue;
        draw_waits(&panel, &outcomes->items[i]);
        panel.top += HEIGHT;
        draw_memory(&panel, &outcomes->items[i]);
    }
    fputs("</svg>\n", stream);
    return ferror(stream) ? -EIO : 0;
}
