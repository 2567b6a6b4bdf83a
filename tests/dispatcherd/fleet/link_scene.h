/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A link to stores that the test plays. The test's own file has the time, which it simulates
 * (support/simulated_clock.h): only the test lets an answer be late. */
#pragma once

#include "base/time.h"
#include "dispatcherd/fleet/link.h"
#include "dispatcherd/fleet/played_store.h"

/* The first pause after a failure is shorter than the one, and longer than the other
 * (dispatcherd/fleet/breaker.h). */
#define PAUSE_MAX_USEC (300 * USEC_PER_MSEC)
#define PAUSE_MIN_USEC (199 * USEC_PER_MSEC)

struct link_scene {
    sd_event *event;
    struct played_store store, other;
    struct fleet_link *link;
    unsigned n_ups, n_downs, n_answers; /* calls of its owner */
    uint64_t oldest_at;                 /* what the owner says of its batches */
    bool refuses_answers;
};

/* There are two stores, and no link yet. */
void link_scene_start(struct link_scene *scene);
void link_scene_end(struct link_scene *scene);

/* A link to these stores begins to connect, and does so as far as it can at once. `second` may be
 * NULL. */
void link_scene_connect(struct link_scene *scene, const char *first, const char *second);

/* One to the first store, which is up. */
void link_scene_get_up(struct link_scene *scene);

/* Does what is to be done at once. */
void link_scene_run(struct link_scene *scene);

/* Sends an empty batch. */
void link_scene_send(struct link_scene *scene);

struct fleet_link_figures link_scene_figures(const struct link_scene *scene);

/* It has failed once, for that reason. */
void link_scene_check_failure(const struct link_scene *scene, const char *reason);
