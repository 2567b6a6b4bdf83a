/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/fleet/link_scene.h"

#include "support/suite.h"

#include <string.h>

static void on_up(void *userdata)
{
    struct link_scene *scene = userdata;

    scene->n_ups++;
}

static void on_down(void *userdata)
{
    struct link_scene *scene = userdata;

    scene->n_downs++;
    scene->oldest_at = UINT64_MAX;
}

static bool on_answer(const struct fleet_answer *answer, void *userdata)
{
    struct link_scene *scene = userdata;

    ck_assert_uint_eq(answer->n_sums, 0);
    scene->n_answers++;
    scene->oldest_at = UINT64_MAX;
    return !scene->refuses_answers;
}

static uint64_t oldest(void *userdata)
{
    const struct link_scene *scene = userdata;

    return scene->oldest_at;
}

void link_scene_start(struct link_scene *scene)
{
    memset(scene, 0, sizeof(*scene));
    scene->oldest_at = UINT64_MAX;
    ck_assert_int_ge(sd_event_new(&scene->event), 0);
    played_store_start(&scene->store, scene->event);
    played_store_start(&scene->other, scene->event);
}

void link_scene_end(struct link_scene *scene)
{
    fleet_link_free(scene->link);
    fleet_link_free(NULL);
    played_store_end(&scene->store);
    played_store_end(&scene->other);
    sd_event_unref(scene->event);
}

void link_scene_run(struct link_scene *scene)
{
    while (sd_event_run(scene->event, 0) > 0)
        ;
}

void link_scene_connect(struct link_scene *scene, const char *first, const char *second)
{
    char *items[] = {(char *)first, (char *)second};
    const struct str_list stores = {.items = items, .n_items = second ? 2 : 1};
    const struct fleet_link_settings settings = {.stores = &stores, .name = "mx1"};
    const struct fleet_link_callbacks callbacks = {
        .up = on_up, .down = on_down, .answered = on_answer, .oldest = oldest, .userdata = scene};

    ck_assert_int_eq(fleet_link_new(scene->event, &settings, &callbacks, &scene->link), 0);
    ck_assert(!fleet_link_is_up(scene->link));
    ck_assert_str_eq(fleet_link_reason(scene->link), "");
    link_scene_run(scene);
}

void link_scene_get_up(struct link_scene *scene)
{
    link_scene_connect(scene, scene->store.address, NULL);
    ck_assert(fleet_link_is_up(scene->link));
}

void link_scene_send(struct link_scene *scene)
{
    static struct fleet_batch batch;

    batch.sent_at = time_now_usec(CLOCK_MONOTONIC);
    if (scene->oldest_at == UINT64_MAX)
        scene->oldest_at = batch.sent_at;
    fleet_link_send(scene->link, &batch);
    link_scene_run(scene);
}

struct fleet_link_figures link_scene_figures(const struct link_scene *scene)
{
    struct fleet_link_figures figures;

    fleet_link_figures(scene->link, time_now_usec(CLOCK_MONOTONIC), &figures);
    return figures;
}

void link_scene_check_failure(const struct link_scene *scene, const char *reason)
{
    ck_assert_str_eq(fleet_link_reason(scene->link), reason);
    ck_assert(!fleet_link_is_up(scene->link));
    ck_assert_uint_eq(scene->n_downs, 1);
    ck_assert_uint_eq(link_scene_figures(scene).n_failures, 1);
}
