/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What was found out about the services of a recording, and how it is shown. */
#pragma once

#include "recording/recording.h"
#include "simulate/course.h"
#include "simulate/memory.h"
#include "simulate/settings.h"

#include <stdbool.h>
#include <stdio.h>

#define OUTCOME_VALUES_MAX 32

/* One way to run a service: with a value of --sweep, or as it is. */
struct outcome_run {
    struct setting swept;                /* of --sweep */
    struct effective_settings effective; /* at the end */
    struct course course;                /* owned */
};

/* Of one service. */
struct outcome {
    const struct recorded_service *service;
    struct course measured; /* owned */
    struct memory_model memory;
    struct outcome_run runs[OUTCOME_VALUES_MAX];
    size_t n_runs;
};

struct outcomes {
    const char *path; /* of the recording */
    const struct recording *recording;
    bool is_sweep;
    struct outcome *items; /* n_items of them, owned */
    size_t n_items;
};

void outcomes_clear(struct outcomes *outcomes);

/* Each returns 0 or a negative errno. */
int outcomes_print(const struct outcomes *outcomes, FILE *stream);
int outcomes_print_json(const struct outcomes *outcomes, FILE *stream);

/* Draws the workers over time, or with a sweep what its values lead to. */
int outcomes_draw(const struct outcomes *outcomes, FILE *stream);
