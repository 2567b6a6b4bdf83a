/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/alerts/alert_watch.h"

#include "base/time.h"
#include "dispatcherd/alerts/alert_texts.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/sockets/kernel_queue.h"

/* A busy service may be full every few moments. It has room again when a tenth of its places was
 * free for this long. */
#define ROOM_USEC (10 * USEC_PER_SEC)
#define ROOM_PART 10

/* The alert is raised when a client has waited longer than the first. It is cleared when no client
 * has waited longer than the second for as long as the third says. */
#define WAIT_HIGH_USEC  USEC_PER_SEC
#define WAIT_LOW_USEC   (USEC_PER_SEC / 2)
#define WAIT_CLEAR_USEC (10 * USEC_PER_SEC)

/* This many deaths are a row; the row is over after this long without another one. */
#define DEATHS_HIGH       3
#define DEATHS_CLEAR_USEC (30 * USEC_PER_SEC)

/* A server that comes and goes causes one alert. */
#define BACKEND_CLEAR_USEC (10 * USEC_PER_SEC)

/* The number of places of a full pool. A pool without places does not exist, but a configuration
 * may ask for none. */
static uint64_t places_of(const struct service *service)
{
    unsigned long places = service_places(service);

    return places > 0 ? places : 1;
}

uint64_t alerts_worst(const struct service *service, enum service_alert alert)
{
    uint64_t worst = service->alerts.of[alert].worst, places = places_of(service);

    if (alert != SERVICE_ALERT_FULL)
        return worst;
    return worst > places ? worst - places : 0;
}

bool alerts_is_full(const struct service *service)
{
    const struct alert *alert = &service->alerts.of[SERVICE_ALERT_FULL];

    return alert->is_raised && !alert->is_turning;
}

static void tell(struct service *service, enum service_alert alert, enum alert_change change,
                 uint64_t now)
{
    switch (change) {
    case ALERT_RAISED:
        if (alert == SERVICE_ALERT_FULL)
            statistics_count_full(service->statistics);
        alert_texts_raised(service, alert, now);
        break;
    case ALERT_CLEARED:
        alert_texts_cleared(service, alert, now);
        break;
    case ALERT_SAME:
        break;
    }
}

/* Updates the alert with its present value. Returns when to look again. */
static uint64_t update(struct service *service, enum service_alert alert,
                       const struct alert_rule *rule, uint64_t value, uint64_t now)
{
    tell(service, alert, alert_update(&service->alerts.of[alert], rule, value, now), now);
    return alert_due(&service->alerts.of[alert], rule);
}

/* Without a ready worker there is no place, but the service is not full: its last worker has died
 * or drains, and clients wait for the next one. */
static bool is_full(const struct service *service, enum accept_verdict verdict)
{
    const struct pool *pool = service->pool;

    if (verdict != ACCEPT_NO_PLACE)
        return false;
    if (pool->n_passed_on > 0 && pool_load(pool) >= service_places(service))
        return true;
    return pool_total(pool) >= service->pool_options.max_procs && pool->n_starting == 0 &&
           pool->n_ready > 0;
}

/* The value is how many clients want a place. The policy may say that the service is full with
 * fewer: if a worker has fewer threads than MAX_CONNS, or drains. */
static uint64_t look_at_places(struct service *service, enum accept_verdict verdict, uint64_t now)
{
    const struct pool *pool = service->pool;
    uint64_t places = places_of(service);
    uint64_t room = places / ROOM_PART > 0 ? places / ROOM_PART : 1;
    uint64_t value = pool_load(pool);
    const struct alert_rule rule = {.high = places, .low = places - room, .clear_usec = ROOM_USEC};

    if (is_full(service, verdict))
        value = (value > places ? value : places) + pool->n_waiting + service->backlog.n_clients;
    else if (value >= places)
        value = places - 1;
    uint64_t n_crowd = queue_take_crowd(&service->backlog);
    if (n_crowd > 0)
        alert_note(&service->alerts.of[SERVICE_ALERT_FULL], places + n_crowd);
    return update(service, SERVICE_ALERT_FULL, &rule, value, now);
}

/* Since when the client that waits longest has waited, in our queue or, as far as that is known, in
 * the kernel's; 0: none waits. */
static uint64_t waiting_since(const struct service *service)
{
    const struct connection *first = TAILQ_FIRST(&service->waiting);
    uint64_t since = queue_stuck_since(service->listeners, service->n_listeners);

    if (first && (since == 0 || first->waiting_since < since))
        since = first->waiting_since;
    return since > 0 && since < service->alerts.waits_from ? service->alerts.waits_from : since;
}

/* The value is the longest wait: of clients that wait now, and of those that waited since the last
 * update. */
static uint64_t look_at_waits(struct service *service, uint64_t now)
{
    static const struct alert_rule rule = {
        .high = WAIT_HIGH_USEC, .low = WAIT_LOW_USEC, .clear_usec = WAIT_CLEAR_USEC};
    uint64_t since = waiting_since(service);

    if (since > 0)
        alerts_note_wait(&service->alerts, since, now);
    uint64_t value = service->alerts.longest_wait;
    service->alerts.longest_wait = 0;
    uint64_t due = update(service, SERVICE_ALERT_WAITING, &rule, value, now);
    if (since == 0 || service->alerts.of[SERVICE_ALERT_WAITING].is_raised)
        return due;
    return since + WAIT_HIGH_USEC < due ? since + WAIT_HIGH_USEC : due;
}

/* While a worker is starting, or none can be started, it is unknown whether the row is over. */
static bool is_settled(const struct pool *pool)
{
    return pool->n_starting == 0 && (pool->n_ready > 0 || pool->n_failed_starts == 0);
}

static uint64_t look_at_deaths(struct service *service, uint64_t now)
{
    static const struct alert_rule rule = {
        .high = DEATHS_HIGH, .low = 0, .clear_usec = DEATHS_CLEAR_USEC};
    struct alert *alert = &service->alerts.of[SERVICE_ALERT_DYING];
    bool was_raised = alert->is_raised;

    if (service->alerts.has_new_death)
        (void)update(service, SERVICE_ALERT_DYING, &rule, service->alerts.deaths.n, now);
    service->alerts.has_new_death = false;
    uint64_t due = update(service, SERVICE_ALERT_DYING, &rule,
                          is_settled(service->pool) ? 0 : service->alerts.deaths.n, now);
    if (was_raised && !alert->is_raised)
        service->alerts.deaths = (struct alert_row){0};
    return due;
}

static uint64_t look_at_reach(struct service *service, uint64_t now)
{
    static const struct alert_rule rule = {.high = 1, .low = 0};
    uint64_t n_missing = reach_n_missing(&service->reach, service->n_listeners);

    return update(service, SERVICE_ALERT_UNREACHABLE, &rule, n_missing, now);
}

/* The value is how many clients were rejected since the last one was admitted. */
static uint64_t look_at_rejections(struct service *service, uint64_t now)
{
    static const struct alert_rule rule = {.high = REJECTION_RUN_SUSPICIOUS, .low = 0};
    const struct rejection_run *rejections = &service->rejections;
    bool counts = service->alerts.of[SERVICE_ALERT_REFUSING].is_raised ||
                  rejection_run_is_alarming(rejections);

    return update(service, SERVICE_ALERT_REFUSING, &rule, counts ? rejections->n_all : 0, now);
}

/* The value is how many workers lack a server. */
static uint64_t look_at_backends(struct service *service, uint64_t now)
{
    static const struct alert_rule rule = {.high = 1, .low = 0, .clear_usec = BACKEND_CLEAR_USEC};

    return update(service, SERVICE_ALERT_BACKEND, &rule, service->backends.n_in_trouble, now);
}

static uint64_t look_at_certificate(struct service *service, uint64_t now)
{
    static const struct alert_rule rule = {.high = 1, .low = 0};
    uint64_t due =
        update(service, SERVICE_ALERT_CERTIFICATE, &rule, certificate_is_bad(service), now);
    uint64_t bad_at = certificate_bad_at(service, now);

    return bad_at < due ? bad_at : due;
}

/* Clients wait at a stopped service because an administrator has stopped it: that is no alert. */
static void end_all(struct service *service, uint64_t now)
{
    for (enum service_alert alert = 0; alert < N_SERVICE_ALERTS; alert++)
        tell(service, alert, alert_end(&service->alerts.of[alert], now), now);
    service->alerts.waits_from = now;
    service->alerts.longest_wait = 0;
    service->alerts.deaths = (struct alert_row){0};
    service->alerts.has_new_death = false;
    rejection_run_forget(&service->rejections);
}

uint64_t alerts_tell(struct service *service, enum accept_verdict verdict, uint64_t now)
{
    uint64_t due[N_SERVICE_ALERTS], earliest = USEC_INFINITY;

    if (service->pool->is_stopping) {
        end_all(service, now);
        return USEC_INFINITY;
    }
    due[SERVICE_ALERT_FULL] = look_at_places(service, verdict, now);
    due[SERVICE_ALERT_WAITING] = look_at_waits(service, now);
    due[SERVICE_ALERT_DYING] = look_at_deaths(service, now);
    due[SERVICE_ALERT_UNREACHABLE] = look_at_reach(service, now);
    due[SERVICE_ALERT_REFUSING] = look_at_rejections(service, now);
    due[SERVICE_ALERT_BACKEND] = look_at_backends(service, now);
    due[SERVICE_ALERT_CERTIFICATE] = look_at_certificate(service, now);
    for (enum service_alert alert = 0; alert < N_SERVICE_ALERTS; alert++)
        if (due[alert] < earliest)
            earliest = due[alert];
    return earliest;
}
