/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/access.h"

#include "base/time.h"
#include "dispatcherd/core/context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RESOLV_CONF "/etc/resolv.conf"

static uint32_t random_chance(_unused_ void *data)
{
    return arc4random_uniform(CHANCE_WHOLE);
}

const struct mapping_hooks access_hooks = {.chance = random_chance};

static void on_list_health(const char *zone, bool is_well, const char *reason, void *userdata)
{
    struct access *access = userdata;

    list_alerts_note(&access->list_alerts, zone, is_well, reason);
}

static int open_lists(struct access *access, const struct access_settings *settings)
{
    const struct dns_lists_callbacks callbacks = {.on_health = on_list_health, .userdata = access};
    struct name_servers *servers = &access->name_servers;

    servers->forced = settings->dns_servers;
    servers->host.path = RESOLV_CONF;
    if (settings->configured_dns_servers &&
        name_servers_configure(servers, settings->configured_dns_servers) < 0)
        return -ENOMEM;
    servers->asked = strdup(name_servers_current(servers));
    if (!servers->asked)
        return -ENOMEM;
    return dns_lists_new(access->context->event, servers->asked, &callbacks, &access->lists);
}

static int init(struct access *access, const struct access_settings *settings)
{
    sd_event *event = access->context->event;

    int r = throttle_new(THROTTLE_KEYS_MAX, &access->context->hash_key, &access->throttle);
    if (r == 0)
        r = decisions_new(DECISIONS_MAX, time_now_usec(CLOCK_MONOTONIC), &access->decisions);
    if (r == 0)
        r = list_alerts_init(&access->list_alerts, access->context);
    if (r == 0)
        r = open_lists(access, settings);
    if (r == 0)
        r = ident_clients_new(event, settings->ident_port, &access->ident_clients);
    if (r == 0)
        r = rejections_new(event, &access->rejections);
    if (r == 0)
        r = checks_store_new(event, &access->checks_store);
    return r;
}

int access_new(struct context *context, const struct access_settings *settings,
               struct mapping_set *mappings, struct access **ret)
{
    struct access *access = calloc(1, sizeof(*access));

    if (!access)
        return -ENOMEM;
    access->context = context;
    access_set_mappings(access, mappings);
    int r = init(access, settings);
    if (r < 0) {
        access_free(access);
        return r;
    }
    *ret = access;
    return 0;
}

void access_free(struct access *access)
{
    if (!access)
        return;
    checks_store_free(access->checks_store);
    ident_clients_free(access->ident_clients);
    list_alerts_clear(&access->list_alerts);
    dns_lists_free(access->lists);
    name_servers_clear(&access->name_servers);
    rejections_free(access->rejections);
    decisions_free(access->decisions);
    throttle_free(access->throttle);
    mapping_set_unref(access->mappings);
    free(access->spare);
    free(access);
}

void access_set_mappings(struct access *access, struct mapping_set *mappings)
{
    mapping_set_unref(access->mappings);
    access->mappings = mapping_set_ref(mappings);
    access->has_table = mapping_set_find(mappings, MAPPING_PORT_ACCESS);
}

void access_set_throttle(struct access *access, struct throttle *throttle)
{
    throttle_free(access->throttle);
    access->throttle = throttle;
}

void access_set_decisions(struct access *access, struct decisions *decisions)
{
    decisions_free(access->decisions);
    access->decisions = decisions;
}

bool access_has_table(const struct access *access)
{
    return access->has_table;
}

void access_set_name_servers(struct access *access, const struct str_list *configured)
{
    /* Without memory for others, those that were asked so far are asked. */
    if (name_servers_configure(&access->name_servers, configured) == 0)
        name_servers_follow_now(&access->name_servers, access->lists);
}

struct dns_lists *access_lists(struct access *access)
{
    name_servers_follow(&access->name_servers, access->lists);
    return access->lists;
}

struct mapping_run *access_take_run(struct access *access)
{
    struct mapping_run *run = access->spare;

    access->spare = NULL;
    return run ? run : malloc(sizeof(*run));
}

void access_return_run(struct access *access, struct mapping_run *run)
{
    free(access->spare);
    access->spare = run;
}
