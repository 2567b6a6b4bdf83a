/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/simulate/outcome.h"

#include <errno.h>
#include <jansson.h>

static json_t *rejected_of(const struct course *course)
{
    json_t *object = json_object();

    for (unsigned i = 0; i < N_STATISTICS_REJECTIONS; i++)
        json_object_set_new(object, statistics_rejection_to_string((enum statistics_rejection)i),
                            json_integer((json_int_t)course->n_rejected[i]));
    return object;
}

static json_t *retired_of(const struct course *course)
{
    return json_pack("{s:I, s:I, s:I}", "idle", (json_int_t)course->n_retired[REASON_IDLE], "age",
                     (json_int_t)course->n_retired[REASON_AGE], "use",
                     (json_int_t)course->n_retired[REASON_USE]);
}

static json_t *waits_of(const struct course *course)
{
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I}", "mean", (json_int_t)course_wait_mean(course), "p50",
        (json_int_t)course_wait(course, 500), "p90", (json_int_t)course_wait(course, 900), "p99",
        (json_int_t)course_wait(course, 990), "max", (json_int_t)course_wait(course, 1000));
}

static json_t *workers_of(const struct course *course)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < COURSE_STEPS; i++)
        json_array_append_new(array, json_real(course_workers_in(course, i)));
    return array;
}

/* null: the recording does not have it. */
static json_t *memory_of(const struct course *course)
{
    if (course->memory_usec == 0)
        return json_null();
    return json_pack("{s:I, s:I}", "mean", (json_int_t)course_memory(course), "max",
                     (json_int_t)course->kib_max);
}

static json_t *course_object(const struct course *course)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o, s:f, s:i, s:o, s:I, s:o, s:o}", "clients",
                     (json_int_t)course->n_arrived, "served", (json_int_t)course->n_served, "left",
                     (json_int_t)course->n_left, "waiting", (json_int_t)course_waiting(course),
                     "rejected", rejected_of(course), "wait_usec", waits_of(course), "workers_mean",
                     course_workers(course), "workers_max", (int)course->workers_max, "workers",
                     workers_of(course), "started", (json_int_t)course->n_started, "retired",
                     retired_of(course), "memory_kib", memory_of(course));
}

static json_t *run_object(const struct outcome_run *run, bool is_sweep)
{
    json_t *setting = is_sweep ? json_pack("{s:s, s:I}", "name", setting_name(&run->swept), "value",
                                           (json_int_t)run->swept.value)
                               : json_null();

    return json_pack("{s:o, s:o}", "setting", setting, "figures", course_object(&run->course));
}

static json_t *model_object(const struct memory_model *model)
{
    if (model->n_samples == 0)
        return json_null();
    return json_pack("{s:I, s:f, s:f, s:s, s:f}", "looks", (json_int_t)model->n_samples,
                     "worker_kib", model->worker_kib, "each_kib", model->each_kib, "each",
                     memory_cause_to_string(model->cause), "error_percent", 100 * model->error);
}

static json_t *service_object(const struct outcome *outcome, bool is_sweep)
{
    json_t *runs = json_array();

    for (size_t i = 0; i < outcome->n_runs; i++)
        json_array_append_new(runs, run_object(&outcome->runs[i], is_sweep));
    return json_pack("{s:s, s:o, s:o, s:o}", "name", outcome->service->name, "measured",
                     course_object(&outcome->measured), "simulated", runs, "memory",
                     model_object(&outcome->memory));
}

int outcomes_print_json(const struct outcomes *outcomes, FILE *stream)
{
    const struct recording *recording = outcomes->recording;
    json_t *services = json_array();

    for (size_t i = 0; i < outcomes->n_items; i++)
        json_array_append_new(services, service_object(&outcomes->items[i], outcomes->is_sweep));
    json_auto_t *all = json_pack(
        "{s:I, s:I, s:b, s:I, s:i, s:o}", "from", (json_int_t)recording->from, "to",
        (json_int_t)recording->to, "has_wrapped", recording->has_wrapped, "lost",
        (json_int_t)recording->n_lost, "begun", (int)recording->n_begun, "services", services);
    if (!all)
        return -ENOMEM;
    if (json_dumpf(all, stream, JSON_INDENT(2) | JSON_ENSURE_ASCII) < 0 || fputc('\n', stream) < 0)
        return -EIO;
    return 0;
}
