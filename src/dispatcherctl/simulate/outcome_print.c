/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/simulate/outcome.h"

#include "base/macro.h"
#include "base/str.h"
#include "base/time.h"
#include "dispatcherctl/views/table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

void outcomes_clear(struct outcomes *outcomes)
{
    for (size_t i = 0; i < outcomes->n_items; i++) {
        struct outcome *outcome = &outcomes->items[i];

        course_clear(&outcome->measured);
        for (size_t k = 0; k < outcome->n_runs; k++)
            course_clear(&outcome->runs[k].course);
    }
    free(outcomes->items);
    *outcomes = (struct outcomes){0};
}

static void add_usec(struct table *table, uint64_t usec)
{
    if (usec < 10 * USEC_PER_MSEC)
        table_add(table, "%.2f ms", (double)usec / USEC_PER_MSEC);
    else if (usec < 10 * USEC_PER_SEC)
        table_add(table, "%" PRIu64 " ms", usec / USEC_PER_MSEC);
    else
        table_add(table, "%" PRIu64 " s", usec / USEC_PER_SEC);
}

static void add_kib(struct table *table, const struct course *course, double kib)
{
    if (course->memory_usec == 0)
        table_add(table, "%s", "");
    else if (kib < 1024.0 * 1024)
        table_add(table, "%.1f MiB", kib / 1024);
    else
        table_add(table, "%.1f GiB", kib / 1024 / 1024);
}

/* One row for a way to run the service. */
static void add_row(struct table *table, const char *service, const char *label,
                    const struct course *course)
{
    table_add(table, "%s", service);
    table_add(table, "%s", label);
    table_add(table, "%" PRIu64, course->n_arrived);
    table_add(table, "%" PRIu64, course->n_served);
    table_add(table, "%" PRIu64, course_rejected(course));
    table_add(table, "%" PRIu64, course->n_left);
    table_add(table, "%" PRIu64, course_waiting(course));
    add_usec(table, course_wait(course, 500));
    add_usec(table, course_wait(course, 990));
    add_usec(table, course_wait(course, 1000));
    table_add(table, "%.1f", course_workers(course));
    table_add(table, "%u", course->workers_max);
    table_add(table, "%" PRIu64, course->n_started);
    table_add(table, "%" PRIu64, course_recycled(course));
    add_kib(table, course, course_memory(course));
    add_kib(table, course, course->kib_max);
}

static void print_head(const struct outcomes *outcomes, FILE *stream)
{
    const struct recording *recording = outcomes->recording;
    uint64_t length = recording->to - recording->from;

    table_line(stream, "%s: %.1f s%s", outcomes->path, (double)length / USEC_PER_SEC,
               recording->has_wrapped ? "; what was before is no longer in it" : "");
    if (recording->n_lost > 0)
        table_line(stream, "%" PRIu64 " %s lost: it could not be written fast enough",
                   recording->n_lost, str_plural(recording->n_lost, "thing was", "things were"));
    if (recording->n_begun > 1)
        table_line(stream,
                   "dispatcherd began %u times to record: clients before and after are "
                   "taken for different ones",
                   recording->n_begun);
}

static const char *each(enum memory_cause cause)
{
    return cause == MEMORY_SESSIONS ? "session"
           : cause == MEMORY_PEAK   ? "of the most sessions it had"
                                    : "connection it was given";
}

/* What the simulated memory follows from. */
static void print_memory(const struct outcome *outcome, FILE *stream)
{
    const struct memory_model *model = &outcome->memory;
    const char *name = outcome->service->name;

    if (model->n_samples == 0)
        table_line(stream, "%s: memory: not in the recording", name);
    else if (model->each_kib <= 0)
        table_line(stream, "%s: memory: a worker has %.1f MiB; that is off by %.0f %%", name,
                   model->worker_kib / 1024, 100 * model->error);
    else
        table_line(stream,
                   "%s: memory: a worker has %.1f MiB, and %.2f MiB for each %s; that is off by "
                   "%.0f %%",
                   name, model->worker_kib / 1024, model->each_kib / 1024, each(model->cause),
                   100 * model->error);
}

int outcomes_print(const struct outcomes *outcomes, FILE *stream)
{
    static const struct table_column columns[] = {
        {"SERVICE", TABLE_LEFT},  {"", TABLE_LEFT},          {"CLIENTS", TABLE_RIGHT},
        {"SERVED", TABLE_RIGHT},  {"REJECTED", TABLE_RIGHT}, {"LEFT", TABLE_RIGHT},
        {"WAITING", TABLE_RIGHT}, {"WAIT 50%", TABLE_RIGHT}, {"99%", TABLE_RIGHT},
        {"MAX", TABLE_RIGHT},     {"WORKERS", TABLE_RIGHT},  {"MAX", TABLE_RIGHT},
        {"STARTED", TABLE_RIGHT}, {"RECYCLED", TABLE_RIGHT}, {"MEMORY", TABLE_RIGHT},
        {"MAX", TABLE_RIGHT},
    };
    struct table table = table_init(columns, ELEMENTSOF(columns));

    print_head(outcomes, stream);
    for (size_t i = 0; i < outcomes->n_items; i++) {
        const struct outcome *outcome = &outcomes->items[i];

        add_row(&table, outcome->service->name, "measured", &outcome->measured);
        for (size_t k = 0; k < outcome->n_runs; k++) {
            const struct outcome_run *run = &outcome->runs[k];
            char label[64] = "simulated";

            if (outcomes->is_sweep)
                snprintf(label, sizeof(label), "%s=%" PRIu32, setting_name(&run->swept),
                         run->swept.value);
            add_row(&table, outcome->service->name, label, &run->course);
        }
    }
    int r = table_print(&table, stream);
    table_clear(&table);
    for (size_t i = 0; i < outcomes->n_items && r == 0; i++)
        print_memory(&outcomes->items[i], stream);
    return r;
}
