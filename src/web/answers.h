/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Makes the texts that are sent from current figures: each text at most once in ANSWER_AGE_USEC,
 * however many requests there are. */
#pragma once

#include "web/figures.h"
#include "web/page/samples.h"

#include <stddef.h>

#define ANSWER_AGE_USEC UINT64_C(1000000)

enum answer_kind {
    ANSWER_PAGE,
    ANSWER_METRICS_PLAIN,
    ANSWER_METRICS_OPEN,
    ANSWER_KINDS,
};

/* Owns all it holds. */
struct answers {
    struct figures figures;
    struct samples samples;
    uint64_t read_at;       /* CLOCK_MONOTONIC; 0: never */
    uint64_t lists_read_at; /* with workers and connections */
};

/* Makes a text. Returns 0 with the text, which the caller frees, or -ENOMEM. If the daemon does not
 * answer, the text says so, and that is no failure. */
int answers_make(struct answers *answers, enum answer_kind kind, char **ret, size_t *ret_length);

/* Takes a sample of each service; to be called every SAMPLES_INTERVAL_USEC. */
void answers_sample(struct answers *answers);

void answers_clear(struct answers *answers);
