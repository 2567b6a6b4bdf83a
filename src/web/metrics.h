/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The services' figures for Prometheus.
 *
 * Labels are the service's name and the reason of a rejection. Clients choose neither, so the
 * configuration limits the number of series. */
#pragma once

#include <jansson.h>
#include <stdio.h>

enum metrics_format {
    METRICS_PLAIN, /* Prometheus' own text format, version 0.0.4 */
    METRICS_OPEN,  /* OpenMetrics 1.0.0 */
};

extern const char *const metrics_content_type[];

/* Writes all metrics. `status` and `services` are the parameters of those methods' replies; NULL if
 * the daemon does not answer, which dispatcherd_up says. */
void metrics_write(FILE *stream, enum metrics_format format, const json_t *status,
                   const json_t *services);

/* Writes the value of a label, escaped, without quotes. */
void metrics_label(FILE *stream, const char *value);
