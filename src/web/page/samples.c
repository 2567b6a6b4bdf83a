/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "web/page/samples.h"

#include "base/time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A longer time between two samples is a gap: one was missed, or the daemon did not answer. */
#define GAP_USEC (SAMPLES_INTERVAL_USEC * 5 / 2)

static const struct sample *sample_at(const struct sample_ring *ring, size_t i)
{
    return &ring->samples[(ring->start + i) % SAMPLES_MAX];
}

static struct sample_ring **find(struct samples *samples, const char *service)
{
    for (size_t i = 0; i < SAMPLES_SERVICES_MAX; i++)
        if (samples->rings[i] && strcmp(samples->rings[i]->name, service) == 0)
            return &samples->rings[i];
    return NULL;
}

const struct sample_ring *samples_find(const struct samples *samples, const char *service)
{
    struct sample_ring **ring = find((struct samples *)samples, service);

    return ring ? *ring : NULL;
}

static bool is_forgotten(const struct sample_ring *ring, uint64_t now)
{
    return sample_at(ring, ring->n - 1)->at_usec + SAMPLES_SPAN_USEC < now;
}

static int take_ring(struct samples *samples, const char *service, uint64_t now,
                     struct sample_ring **ret)
{
    for (size_t i = 0; i < SAMPLES_SERVICES_MAX; i++) {
        struct sample_ring **place = &samples->rings[i];

        if (*place && !is_forgotten(*place, now))
            continue;
        if (!*place && !(*place = malloc(sizeof(**place))))
            return -ENOMEM;
        (*place)->start = 0;
        (*place)->n = 0;
        strcpy((*place)->name, service);
        *ret = *place;
        return 0;
    }
    return -ENOSPC;
}

int samples_add(struct samples *samples, const char *service, const struct sample *sample)
{
    if (strlen(service) > SERVICE_NAME_MAX)
        return -EINVAL;
    struct sample_ring **found = find(samples, service);
    struct sample_ring *ring = found ? *found : NULL;
    if (ring && sample->at_usec <= sample_at(ring, ring->n - 1)->at_usec)
        return -EINVAL;
    if (!ring) {
        int r = take_ring(samples, service, sample->at_usec, &ring);
        if (r < 0)
            return r;
    }
    ring->samples[(ring->start + ring->n) % SAMPLES_MAX] = *sample;
    if (ring->n < SAMPLES_MAX)
        ring->n++;
    else
        ring->start = (ring->start + 1) % SAMPLES_MAX;
    return 0;
}

static int64_t counter_of(const struct sample *sample, enum sample_figure figure)
{
    return figure == SAMPLE_ACCEPTED_PER_SEC ? sample->n_accepted : sample->n_rejected;
}

/* Returns false if no rate can be calculated. */
static bool rate(const struct sample *before, const struct sample *sample,
                 enum sample_figure figure, double *ret)
{
    int64_t from = counter_of(before, figure), to = counter_of(sample, figure);
    uint64_t usec = sample->at_usec - before->at_usec;

    if (usec > GAP_USEC || to < from)
        return false;
    *ret = ((double)to - (double)from) / ((double)usec / (double)USEC_PER_SEC);
    return true;
}

/* Returns false if the sample gives no point. */
static bool value_at(const struct sample *before, const struct sample *sample,
                     enum sample_figure figure, double *ret)
{
    switch (figure) {
    case SAMPLE_ACTIVE:
        *ret = (double)sample->n_active;
        return true;
    case SAMPLE_WAITING:
        *ret = (double)sample->n_waiting;
        return true;
    case SAMPLE_ACCEPTED_PER_SEC:
    case SAMPLE_REJECTED_PER_SEC:
        return before && rate(before, sample, figure, ret);
    }
    return false;
}

size_t sample_points(const struct sample_ring *ring, enum sample_figure figure, uint64_t from_usec,
                     struct sample_point ret[SAMPLES_MAX])
{
    bool had_point = false;
    size_t n = 0;

    for (size_t i = 0; i < ring->n; i++) {
        const struct sample *before = i > 0 ? sample_at(ring, i - 1) : NULL;
        const struct sample *sample = sample_at(ring, i);
        double value;

        bool is_gap = !before || sample->at_usec - before->at_usec > GAP_USEC;
        bool has_point = sample->at_usec >= from_usec && value_at(before, sample, figure, &value);
        if (has_point)
            ret[n++] = (struct sample_point){
                .at_usec = sample->at_usec,
                .value = value,
                .is_joined = had_point && !is_gap,
            };
        had_point = has_point;
    }
    return n;
}

void samples_clear(struct samples *samples)
{
    for (size_t i = 0; i < SAMPLES_SERVICES_MAX; i++)
        free(samples->rings[i]);
    *samples = (struct samples){0};
}
