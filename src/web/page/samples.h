/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The services over the last hour: one sample every ten seconds, in a ring for each service. Pure:
 * the caller provides the figures and the time.
 *
 * The memory is limited to SAMPLES_SERVICES_MAX rings of SAMPLES_MAX samples. */
#pragma once

#include "base/service_name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAMPLES_MAX           360
#define SAMPLES_SERVICES_MAX  64
#define SAMPLES_INTERVAL_USEC UINT64_C(10000000)
#define SAMPLES_SPAN_USEC     (SAMPLES_MAX * SAMPLES_INTERVAL_USEC)

struct sample {
    uint64_t at_usec; /* monotonic */
    int64_t n_active;
    int64_t n_waiting;
    int64_t n_accepted; /* counters, which start again if the daemon has lost its state */
    int64_t n_rejected;
};

/* The samples of one service, the oldest at `start`. */
struct sample_ring {
    char name[SERVICE_NAME_MAX + 1];
    struct sample samples[SAMPLES_MAX];
    size_t start;
    size_t n;
};

/* All zero is empty. Owns the rings. */
struct samples {
    struct sample_ring *rings[SAMPLES_SERVICES_MAX];
};

enum sample_figure {
    SAMPLE_ACTIVE,
    SAMPLE_WAITING,
    SAMPLE_ACCEPTED_PER_SEC,
    SAMPLE_REJECTED_PER_SEC,
};

/* One point of a curve. */
struct sample_point {
    uint64_t at_usec;
    double value;
    bool is_joined; /* with the point before it: there is no gap between them */
};

/* Adds a sample, in a full ring in place of the oldest. A new service gets a free ring, or that of
 * a service which was not seen for the whole span. Returns 0, -ENOSPC if there is no ring, -ENOMEM,
 * or -EINVAL if the name is too long, or the sample not newer than the last one. */
int samples_add(struct samples *samples, const char *service, const struct sample *sample);

/* The ring of a service, or NULL. */
const struct sample_ring *samples_find(const struct samples *samples, const char *service);

/* The curve of one figure, from `from_usec` on. A rate is calculated from two samples, and belongs
 * to the newer one; there is none across a gap, or if a counter went back. Returns the number of
 * points. */
size_t sample_points(const struct sample_ring *ring, enum sample_figure figure, uint64_t from_usec,
                     struct sample_point ret[SAMPLES_MAX]);

void samples_clear(struct samples *samples);
