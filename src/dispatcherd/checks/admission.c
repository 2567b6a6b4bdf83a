/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/admission.h"

#include "access/concurrency.h"
#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/report/report.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RESOLV_CONF "/etc/resolv.conf"

static uint32_t random_chance(_unused_ void *data)
{
    return arc4random_uniform(CHANCE_WHOLE);
}

const struct mapping_hooks admission_hooks = {.chance = random_chance};

static void on_list_health(const char *zone, bool is_well, const char *reason, void *userdata)
{
    struct admission *admission = userdata;

    list_alerts_note(&admission->list_alerts, zone, is_well, reason);
}

static int open_lists(struct admission *admission, const struct admission_settings *settings)
{
    const struct dns_lists_callbacks callbacks = {.on_health = on_list_health,
                                                  .userdata = admission};
    struct name_servers *servers = &admission->name_servers;

    servers->forced = settings->dns_servers;
    servers->host.path = RESOLV_CONF;
    if (settings->configured_dns_servers &&
        name_servers_configure(servers, settings->configured_dns_servers) < 0)
        return -ENOMEM;
    servers->asked = strdup(name_servers_current(servers));
    if (!servers->asked)
        return -ENOMEM;
    return dns_lists_new(admission->context->event, servers->asked, &callbacks, &admission->lists);
}

static int init(struct admission *admission, const struct admission_settings *settings)
{
    sd_event *event = admission->context->event;

    int r = throttle_new(THROTTLE_KEYS_MAX, &admission->context->hash_key, &admission->throttle);
    if (r == 0)
        r = decisions_new(DECISIONS_MAX, time_now_usec(CLOCK_MONOTONIC), &admission->decisions);
    if (r == 0)
        r = list_alerts_init(&admission->list_alerts, admission->context);
    if (r == 0)
        r = open_lists(admission, settings);
    if (r == 0)
        r = ident_clients_new(event, settings->ident_port, &admission->ident_clients);
    if (r == 0)
        r = rejections_new(event, &admission->rejections);
    return r;
}

int admission_new(struct context *context, const struct admission_settings *settings,
                  struct mapping_set *mappings, struct admission **ret)
{
    struct admission *admission = calloc(1, sizeof(*admission));

    if (!admission)
        return -ENOMEM;
    admission->context = context;
    admission_set_mappings(admission, mappings);
    int r = init(admission, settings);
    if (r < 0) {
        admission_free(admission);
        return r;
    }
    *ret = admission;
    return 0;
}

void admission_free(struct admission *admission)
{
    if (!admission)
        return;
    ident_clients_free(admission->ident_clients);
    list_alerts_clear(&admission->list_alerts);
    dns_lists_free(admission->lists);
    name_servers_clear(&admission->name_servers);
    rejections_free(admission->rejections);
    decisions_free(admission->decisions);
    fleet_free(STEAL(admission->fleet));
    throttle_free(admission->throttle);
    mapping_set_unref(admission->mappings);
    free(admission->spare);
    free(admission);
}

void admission_set_mappings(struct admission *admission, struct mapping_set *mappings)
{
    mapping_set_unref(admission->mappings);
    admission->mappings = mapping_set_ref(mappings);
    admission->has_table = mapping_set_find(mappings, MAPPING_PORT_ACCESS);
}

void admission_set_throttle(struct admission *admission, struct throttle *throttle)
{
    assert(!admission->fleet);
    throttle_free(admission->throttle);
    admission->throttle = throttle;
}

void admission_set_fleet(struct admission *admission, const struct fleet_settings *settings)
{
    if (admission->fleet && fleet_has(admission->fleet, settings))
        return;
    /* Decisions that wait are made now, for this host alone. */
    fleet_free(STEAL(admission->fleet));
    throttle_unalign(admission->throttle);
    if (settings->stores->n_items == 0) {
        throttle_forget_others(admission->throttle);
        return;
    }
    int r = fleet_new(admission->context, admission->throttle, settings, &admission->fleet);
    if (r < 0)
        report_daemon(LOG_ERR, "cannot share counts by FLEET: %s; limits hold for this host alone",
                      strerror(-r));
}

static void note_open(const struct source *source, uint32_t n, void *userdata)
{
    const struct service *service = userdata;
    struct fleet *fleet = service->context->admission->fleet;

    if (fleet)
        fleet_note_open(fleet, service->options->unit_name, source, n,
                        service->options->max_conns_per_address);
}

static void on_address_changed(struct addresses *addresses, const struct address *peer)
{
    struct service *service = CONTAINER_OF(addresses, struct service, addresses);
    struct source source;

    if (service->context->admission && source_of(peer, &source))
        note_open(&source, concurrency_lookup(addresses->hosts, peer), service);
}

void admission_share_addresses(struct service *service)
{
    addresses_watch(&service->addresses, on_address_changed);
    concurrency_each(service->addresses.hosts, note_open, service);
}

void admission_set_decisions(struct admission *admission, struct decisions *decisions)
{
    decisions_free(admission->decisions);
    admission->decisions = decisions;
}

bool admission_has_table(const struct admission *admission)
{
    return admission->has_table;
}

void admission_set_name_servers(struct admission *admission, const struct str_list *configured)
{
    /* Without memory for the new list of servers, the previous servers are asked. */
    if (name_servers_configure(&admission->name_servers, configured) == 0)
        name_servers_follow_now(&admission->name_servers, admission->lists);
}

struct dns_lists *admission_lists(struct admission *admission)
{
    name_servers_follow(&admission->name_servers, admission->lists);
    return admission->lists;
}

struct mapping_run *admission_take_run(struct admission *admission)
{
    struct mapping_run *run = admission->spare;

    admission->spare = NULL;
    return run ? run : malloc(sizeof(*run));
}

void admission_return_run(struct admission *admission, struct mapping_run *run)
{
    free(admission->spare);
    admission->spare = run;
}
