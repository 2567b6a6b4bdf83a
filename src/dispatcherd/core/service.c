/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/service.h"

#include "access/concurrency.h"
#include "base/str.h"
#include "base/time.h"
#include "base/timer.h"
#include "dispatcherd/core/config_version.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/fingerprint.h"
#include "dispatcherd/core/worker.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pool_options pool_options_of(const struct service_options *options)
{
    return (struct pool_options){
        .min_procs = options->min_procs,
        .max_procs = options->max_procs,
        .min_conns = options->min_conns,
        .max_conns = options->max_conns,
        .max_handoffs = options->max_handoffs,
        .max_shutdown = options->max_shutdown,
        .max_life_usec = options->max_life_time_sec * USEC_PER_SEC,
        .max_life_conns = options->max_life_conns,
        .max_idle_usec = options->max_idle_time_sec * USEC_PER_SEC,
    };
}

/* The policy's moments are not worth a wake-up to the microsecond. */
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

/* More connections than one process has descriptors for. The memory is taken as it is used. */
#define ADDRESSES_MAX (UINT32_C(1) << 20)

int service_new(struct context *context, struct config_version *version,
                const struct service_options *options, struct service_state *state,
                void (*dispatch)(struct service *service), struct service **ret)
{
    struct service *service = calloc(1, sizeof(*service));

    if (!service)
        return -ENOMEM;
    int r = concurrency_new(ADDRESSES_MAX, &context->hash_key, &service->addresses);
    if (r == 0)
        r = concurrency_new(ADDRESSES_MAX, &context->hash_key, &service->networks);
    if (r == 0)
        r = timer_init(&service->timer, context->event, TIMER_ACCURACY_USEC, on_moment, service);
    if (r == 0)
        r = timer_init(&service->look_timer, context->event, USEC_PER_MSEC, on_look, service);
    if (r < 0) {
        timer_clear(&service->timer);
        concurrency_free(service->addresses);
        concurrency_free(service->networks);
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
    service->is_queueing = true; /* while we were not there */
    service->waits_from = time_now_usec(CLOCK_MONOTONIC);
    TAILQ_INIT(&service->checks);
    TAILQ_INIT(&service->waiting);
    *ret = service;
    return 0;
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
    service->failure_told_at = 0;
    for (unsigned slot = 0; slot < service->pool->n_slots; slot++)
        if (service->workers[slot] && service->state->fingerprints[slot] != fingerprint)
            pool_worker_outdated(service->pool, slot);
    config_version_unref(before);
}

/* Only a unit's worker that outlived every time limit is still there when the service goes. */
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
    assert(TAILQ_EMPTY(&service->checks));
    timer_clear(&service->timer);
    timer_clear(&service->look_timer);
    sd_event_source_disable_unref(service->log_source);
    concurrency_free(service->addresses);
    concurrency_free(service->networks);
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

/* While other workers serve, the same failure again is no news. */
#define FAILURE_INTERVAL_USEC (60 * USEC_PER_SEC)

static void tell_failure(struct service *service)
{
    const struct subject subject = {.service = service->options->name,
                                    .message_id = MESSAGE_ID_START_FAILED};
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (service->pool->n_ready > 0 && service->failure_told_at > 0 &&
        now < service->failure_told_at + FAILURE_INTERVAL_USEC)
        return;
    service->failure_told_at = now;
    report(LOG_ERR, &subject, "cannot start a worker: %s", service->start_error);
}

void service_start_failed(struct service *service, enum decision_reason reason, const char *format,
                          ...)
{
    const struct subject subject = {.service = service->options->name,
                                    .message_id = MESSAGE_ID_START_FAILED};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(service->start_error, sizeof(service->start_error), format, arguments);
    va_end(arguments);
    service->has_failed_start = true;
    statistics_count_failed_start(service->statistics);
    tell_failure(service);
    service_note_death(service, service->start_error);
    unsigned n_kept = reason == REASON_SUCCESSOR ? pool_keep_outdated(service->pool) : 0;
    if (n_kept > 0)
        report(LOG_ERR, &subject, "%u outdated %s, because a new one cannot be started", n_kept,
               str_plural(n_kept, "worker continues to serve", "workers continue to serve"));
}

void service_note_wait(struct service *service, uint64_t from, uint64_t until)
{
    if (from < service->waits_from)
        from = service->waits_from;
    if (until > from && until - from > service->longest_wait)
        service->longest_wait = until - from;
}

/* Longer than the pauses between starts that fail (60 s) would be no row. */
#define DEATHS_PAUSE_USEC (60 * USEC_PER_SEC)

void service_note_death(struct service *service, const char *how)
{
    bool is_raised = service->alerts[SERVICE_ALERT_DYING].is_raised;

    alert_row_note(&service->deaths, is_raised ? USEC_INFINITY : DEATHS_PAUSE_USEC,
                   time_now_usec(CLOCK_MONOTONIC));
    service->has_new_death = true;
    snprintf(service->last_death, sizeof(service->last_death), "%s", how);
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
