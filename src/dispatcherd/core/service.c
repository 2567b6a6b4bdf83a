/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/service.h"

#include "base/time.h"
#include "base/timer.h"
#include "dispatcherd/config/config_version.h"
#include "dispatcherd/config/fingerprint.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/passed_on.h"
#include "dispatcherd/core/worker.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct pool_options pool_options_of(const struct service_options *options)
{
    return POOL_OPTIONS_OF(options, options->max_life_time_sec, options->max_idle_time_sec);
}

/* A wake-up need not be more exact for the policy. */
#define TIMER_ACCURACY_USEC (20 * USEC_PER_MSEC)

static void on_moment(void *userdata)
{
    service_touch(userdata);
}

static void on_look(void *userdata)
{
    struct service *service = userdata;

    service->has_looked = true;
    service_touch(service);
}

int service_new(struct context *context, struct config_version *version,
                const struct service_options *options, struct service_state *state,
                void (*dispatch)(struct service *service), struct service **ret)
{
    struct service *service = calloc(1, sizeof(*service));

    if (!service)
        return -ENOMEM;
    int r = addresses_init(&service->addresses, &context->hash_key);
    if (r == 0)
        r = timer_init(&service->timer, context->event, TIMER_ACCURACY_USEC, on_moment, service);
    if (r == 0)
        r = timer_init(&service->look_timer, context->event, USEC_PER_MSEC, on_look, service);
    if (r < 0) {
        timer_clear(&service->timer);
        addresses_clear(&service->addresses);
        free(service);
        return r;
    }
    service->context = context;
    service->version = config_version_ref(version);
    service->options = options;
    service->configured_debug = options->debug;
    service->pool_options = pool_options_of(options);
    service->dispatch = dispatch;
    service->state = state;
    service->pool = &state->pool;
    service->statistics = &state->statistics;
    statistics_start(service->statistics, time_now_usec(CLOCK_MONOTONIC));
    queue_init(&service->backlog);
    alerts_init(&service->alerts, time_now_usec(CLOCK_MONOTONIC));
    ring_watch_init(&service->ring_watch);
    unsent_init(&service->unsent);
    TAILQ_INIT(&service->checks);
    TAILQ_INIT(&service->waiting);
    *ret = service;
    return 0;
}

/* It is outdated if it was started with anything else. */
static void compare_worker(struct service *service, unsigned slot, uint64_t fingerprint)
{
    uint64_t *own = &service->state->fingerprints[slot];

    if (fingerprint_differs(*own, fingerprint))
        pool_worker_outdated(service->pool, slot);
    else
        *own = fingerprint_join(*own, fingerprint);
}

void service_set_options(struct service *service, struct config_version *version,
                         const struct service_options *options)
{
    uint64_t fingerprint = fingerprint_of(options);
    struct config_version *before = service->version;

    service->version = config_version_ref(version);
    service->options = options;
    service->configured_debug = options->debug;
    service->pool_options = pool_options_of(options);
    pool_limit_conns(service->pool, options->max_conns);
    pool_forget_failures(service->pool);
    failed_starts_set_options(&service->failed_starts);
    for (unsigned slot = 0; slot < service->pool->n_slots; slot++)
        if (service->workers[slot])
            compare_worker(service, slot, fingerprint);
    config_version_unref(before);
}

/* Only a unit's worker that has outlived every time limit can still exist when the service is
 * freed. */
static void free_worker(struct service *service, unsigned slot)
{
    struct worker *worker = service->workers[slot];

    while (worker->n_held > 0)
        connection_close(worker->held[0], 0);
    worker_free(worker);
    pool_worker_exited(service->pool, slot, 0);
}

void service_free(struct service *service)
{
    struct connection *connection;

    for (unsigned slot = 0; slot < POOL_WORKERS_MAX; slot++)
        if (service->workers[slot])
            free_worker(service, slot);
    while ((connection = TAILQ_FIRST(&service->waiting)))
        connection_close(connection, 0);
    passed_on_leave(service);
    assert(TAILQ_EMPTY(&service->checks));
    timer_clear(&service->timer);
    timer_clear(&service->look_timer);
    sd_event_source_disable_unref(service->log_source);
    addresses_clear(&service->addresses);
    state_release(service->state);
    config_version_unref(service->version);
    free(service);
}

void service_touch(struct service *service)
{
    if (service->is_dispatching) {
        service->dispatch_again = true;
        return;
    }
    service->is_dispatching = true;
    do {
        service->dispatch_again = false;
        service->dispatch(service);
    } while (service->dispatch_again);
    service->is_dispatching = false;
    service->context->changed(service->context);
}

void service_rests(struct service *service)
{
    service->has_looked = false;
}

struct service *services_find(struct service *const services[], size_t n_services,
                              const char *unit_name)
{
    for (size_t i = 0; i < n_services; i++)
        if (strcmp(services[i]->options->unit_name, unit_name) == 0)
            return services[i];
    return NULL;
}

unsigned long service_places(const struct service *service)
{
    return (unsigned long)service->pool_options.max_procs * service->pool_options.max_conns;
}

bool service_waits_for_server(const struct service *service, uint64_t now)
{
    return service->pool->n_waiting + service->pool->n_handoffs > 0 &&
           policy_is_put_off(service->pool, &service->pool_options, now);
}

const char *service_wait_cause(const struct service *service, uint64_t now)
{
    struct pool *pool = service->pool;

    switch (policy_may_accept(pool, &service->pool_options, now)) {
    case ACCEPT_STOPPING:
        return "stopped";
    case ACCEPT_CHECKS_FULL:
        return "access checks";
    case ACCEPT_HANDOFFS_FULL:
        return "hand-offs";
    case ACCEPT_NO_PLACE:
        return pool->n_failed_starts > 0 && pool->n_ready == 0 ? "no worker can be started"
                                                               : "no free place in a worker";
    case ACCEPT_YES:
        break;
    }
    if (service_waits_for_server(service, now))
        return "the server behind the workers is full or down";
    if (pool->n_waiting == 0)
        return pool->n_checking > 0 ? "access checks" : "";
    switch (policy_decide(pool, &service->pool_options, now).reason) {
    case REASON_HANDOFFS_FULL:
        return "hand-offs";
    case REASON_START_DELAYED:
        return "no worker can be started";
    default:
        return pool->n_starting > 0 ? "a worker is starting" : "no free place in a worker";
    }
}
