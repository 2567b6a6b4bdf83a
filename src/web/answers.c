/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "web/answers.h"

#include "base/time.h"
#include "control_client/reply.h"
#include "web/metrics.h"
#include "web/page/page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void refresh(struct answers *answers, bool with_lists)
{
    uint64_t last = with_lists ? answers->lists_read_at : answers->read_at;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (last > 0 && now - last < ANSWER_AGE_USEC)
        return;
    figures_read(&answers->figures, with_lists);
    /* From the end of the reading, so that a daemon that hangs is not asked again at once. */
    answers->read_at = time_now_usec(CLOCK_MONOTONIC);
    answers->lists_read_at = with_lists ? answers->read_at : 0;
}

static void write_page(struct answers *answers, FILE *stream)
{
    const struct figures *figures = &answers->figures;
    struct page page = {
        .status = figures->status,
        .services = figures->services,
        .workers = figures->workers,
        .connections = figures->connections,
        .ended_workers = figures->ended_workers,
        .ended_connections = figures->ended_connections,
        .throttles = figures->throttles,
        .samples = &answers->samples,
        .now_usec = time_now_usec(CLOCK_MONOTONIC),
        .error = figures->error < 0 ? strerror(-figures->error) : NULL,
    };

    page_write(stream, &page);
}

static void write_metrics(struct answers *answers, enum metrics_format format, FILE *stream)
{
    metrics_write(stream, format, answers->figures.status, answers->figures.services);
}

int answers_make(struct answers *answers, enum answer_kind kind, char **ret, size_t *ret_length)
{
    char *text = NULL;
    size_t length = 0;

    refresh(answers, kind == ANSWER_PAGE);
    FILE *stream = open_memstream(&text, &length);
    if (!stream)
        return -ENOMEM;
    if (kind == ANSWER_PAGE)
        write_page(answers, stream);
    else
        write_metrics(answers, kind == ANSWER_METRICS_OPEN ? METRICS_OPEN : METRICS_PLAIN, stream);
    bool is_whole = !ferror(stream);
    if (fclose(stream) != 0 || !is_whole) {
        free(text);
        return -ENOMEM;
    }
    *ret = text;
    *ret_length = length;
    return 0;
}

void answers_sample(struct answers *answers)
{
    const json_t *service;
    size_t i;

    refresh(answers, false);
    json_array_foreach(json_object_get(answers->figures.services, "services"), i, service) {
        const json_t *statistics = json_object_get(service, "statistics");
        struct sample sample = {
            .at_usec = answers->read_at,
            .n_active = reply_number(json_object_get(service, "active"), "value"),
            .n_waiting = reply_number(json_object_get(service, "waiting"), "value") +
                         reply_number(json_object_get(service, "queue"), "value"),
            .n_accepted = reply_number(statistics, "n_accepted"),
            .n_rejected = reply_number(statistics, "n_rejected"),
        };

        /* A service for which there is no ring has no curves; one that was sampled already gets no
         * second point. */
        (void)samples_add(&answers->samples, reply_text(service, "name"), &sample);
    }
}

void answers_clear(struct answers *answers)
{
    figures_clear(&answers->figures);
    samples_clear(&answers->samples);
}
