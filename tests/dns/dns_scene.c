/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dns/dns_scene.h"

#include "access/tcp.h"
#include "support/suite.h"

#include <stdio.h>
#include <string.h>

struct dns_scene scene;

static void on_health(const char *zone, bool is_well, const char *reason, void *userdata)
{
    ck_assert_ptr_eq(userdata, &scene.event);
    ck_assert_int_eq(is_well, reason == NULL);
    *(is_well ? &scene.n_well : &scene.n_ill) += 1;
    snprintf(scene.last_health, sizeof(scene.last_health), "%s: %s", zone,
             is_well ? "well" : reason);
}

void dns_scene_open_lists(const char *servers)
{
    const struct dns_lists_callbacks callbacks = {.on_health = on_health, .userdata = &scene.event};

    ck_assert_int_eq(dns_lists_new(scene.event, servers, &callbacks, &scene.lists), 0);
    dns_lists_set_times(scene.lists, LIMIT_USEC, LONG_USEC, LONG_USEC);
}

void dns_scene_setup(void)
{
    ck_assert_int_ge(sd_event_new(&scene.event), 0);
    dns_server_start(&scene.server, scene.event);
    dns_scene_open_lists(scene.server.address);
    scene.n_ill = scene.n_well = 0;
    scene.account = NULL;
}

void dns_scene_teardown(void)
{
    dns_lists_free(scene.lists);
    dns_server_stop(&scene.server);
    sd_event_unref(scene.event);
}

static void keep(struct scene_result *result, const struct dns_lists_answer *answer)
{
    ck_assert(!result->is_done);
    result->is_done = true;
    result->request = NULL;
    result->answer = *answer;
    ck_assert_int_eq(answer->is_listed, answer->outcome == DNS_LISTS_LISTED);
    if (answer->text)
        snprintf(result->text, sizeof(result->text), "%s", answer->text);
}

static void on_answer(struct dns_request *request, const struct dns_lists_answer *answer,
                      void *userdata)
{
    struct scene_result *result = userdata;

    ck_assert_ptr_eq(request, result->request);
    keep(result, answer);
    dns_request_cancel(result->to_cancel);
}

bool dns_scene_start(struct scene_result *result, const char *client, const char *const zones[],
                     bool want_text)
{
    struct address address;
    struct dns_lists_answer answer;
    size_t n_zones = 0;

    ck_assert_int_eq(address_parse(client, &address), 0);
    while (zones[n_zones])
        n_zones++;
    *result = (struct scene_result){0};
    const struct dns_lists_question question = {.client = &address,
                                                .zones = zones,
                                                .n_zones = n_zones,
                                                .wants_text = want_text,
                                                .account = scene.account};
    int r = dns_lists_ask(scene.lists, &question, on_answer, result, &result->request, &answer);
    ck_assert_int_ge(r, 0);
    if (r > 0)
        keep(result, &answer);
    return r > 0;
}

enum dns_lists_outcome dns_scene_ask(const char *client, const char *const zones[])
{
    struct scene_result result;

    if (!dns_scene_start(&result, client, zones, false))
        loop_until_flag(scene.event, &result.is_done);
    return result.answer.outcome;
}

struct dns_zone_figures dns_scene_figures(const char *name)
{
    struct dns_zone_figures figures = {0};
    const struct dns_zone *zone = NULL;

    while ((zone = dns_lists_next_zone(scene.lists, zone, &figures)))
        if (strcmp(figures.zone, name) == 0)
            return figures;
    ck_abort_msg("%s is not known", name);
    return figures;
}
