/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/alerts.h"

#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/core/kernel_queue.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"

#include <inttypes.h>

/* A busy service is full for a moment again and again: it has room when a tenth of its places was
 * free for so long. */
#define ROOM_USEC (10 * USEC_PER_SEC)
#define ROOM_PART 10

/* Nobody should wait for longer than the first; all is well when nobody did for longer than the
 * second during the third. */
#define WAIT_HIGH_USEC  USEC_PER_SEC
#define WAIT_LOW_USEC   (USEC_PER_SEC / 2)
#define WAIT_CLEAR_USEC (10 * USEC_PER_SEC)

/* So many deaths are a row, which is over after so long without another. */
#define DEATHS_HIGH       3
#define DEATHS_CLEAR_USEC (30 * USEC_PER_SEC)

/* A server that comes and goes is one alert. */
#define BACKEND_CLEAR_USEC (10 * USEC_PER_SEC)

static const struct {
    const char *name, *raised_id, *cleared_id;
    const char *advice;
} kinds[N_SERVICE_ALERTS] = {
    [SERVICE_ALERT_FULL] = {"full", MESSAGE_ID_SERVICE_FULL, MESSAGE_ID_SERVICE_HAS_ROOM,
                            "raise MAX_PROCS if this host has the resources"},
    [SERVICE_ALERT_WAITING] =
        {"waiting", MESSAGE_ID_CLIENTS_WAIT, MESSAGE_ID_CLIENTS_WAIT_NO_MORE,
         "raise MAX_PROCS for more places, or MIN_PROCS for workers that are ready in advance"},
    [SERVICE_ALERT_DYING] = {"dying", MESSAGE_ID_WORKERS_DIE, MESSAGE_ID_WORKERS_DIE_NO_MORE,
                             "see \"dispatcherctl history\" and the workers' lines in the journal"},
    [SERVICE_ALERT_UNREACHABLE] =
        {"unreachable", MESSAGE_ID_SOCKET_MISSING, MESSAGE_ID_SOCKET_AGAIN,
         "restart dispatcherd.service and the service's socket units in one command, or reload a "
         "daemon that binds its ports itself"},
    [SERVICE_ALERT_REFUSING] = {"refusing", MESSAGE_ID_EVERYBODY_REFUSED, MESSAGE_ID_ADMITS_AGAIN,
                                "\"dispatcherctl explain ADDRESS\" shows what was decided about a "
                                "client"},
    [SERVICE_ALERT_BACKEND] = {"backend", MESSAGE_ID_BACKEND_AWAY, MESSAGE_ID_BACKEND_AGAIN,
                               "clients wait for it, and are turned away; see whether that server "
                               "runs"},
};

const char *service_alert_to_string(enum service_alert alert)
{
    return kinds[alert].name;
}

/* Every place of a full pool; a pool without any is not possible, but its configuration may be. */
static uint64_t places_of(const struct service *service)
{
    unsigned long places = service_places(service);

    return places > 0 ? places : 1;
}

static uint64_t tenths(uint64_t usec)
{
    return usec % USEC_PER_SEC / (USEC_PER_SEC / 10);
}

uint64_t alerts_worst(const struct service *service, enum service_alert alert)
{
    uint64_t worst = service->alerts[alert].worst, places = places_of(service);

    if (alert != SERVICE_ALERT_FULL)
        return worst;
    return worst > places ? worst - places : 0;
}

bool alerts_is_full(const struct service *service)
{
    const struct alert *alert = &service->alerts[SERVICE_ALERT_FULL];

    return alert->is_raised && !alert->is_turning;
}

static void describe_full(const struct service *service, struct str_buffer *text)
{
    const struct pool *pool = service->pool;
    bool is_full = alerts_is_full(service);

    str_buffer_add(text, "%s: %u/%lu connections in %u %s (MAX_PROCS=%u, MAX_CONNS=%u)",
                   is_full ? "is full" : "was full until a moment ago",
                   pool->n_active + pool->n_handoffs, service_places(service), pool_total(pool),
                   str_plural(pool_total(pool), "worker", "workers"),
                   service->pool_options.max_procs, service->pool_options.max_conns);
    if (is_full)
        str_buffer_add(text, "; further clients wait in the kernel's queue");
}

static void describe_refusals(const struct refusal_run *refusals, struct str_buffer *text)
{
    str_buffer_add(text, "refuses everybody: %u %s in a row, the last %s", refusals->n_all,
                   str_plural(refusals->n_all, "client", "clients"), refusal_run_cause(refusals));
    if (refusals->detail[0])
        str_buffer_add(text, " (%s)", refusals->detail);
}

void alerts_describe(const struct service *service, enum service_alert alert,
                     struct str_buffer *text)
{
    const struct pool *pool = service->pool;
    uint64_t worst = alerts_worst(service, alert);

    switch (alert) {
    case SERVICE_ALERT_FULL:
        describe_full(service, text);
        break;
    case SERVICE_ALERT_WAITING:
        str_buffer_add(text,
                       "keeps clients waiting: the longest for %" PRIu64 ".%" PRIu64
                       " s so far, %" PRIu64 " now",
                       worst / USEC_PER_SEC, tenths(worst), pool->n_waiting + service->n_queued);
        break;
    case SERVICE_ALERT_DYING:
        str_buffer_add(text, "loses its workers: %" PRIu64 " died in a row; the last: %s", worst,
                       service->last_death);
        break;
    case SERVICE_ALERT_UNREACHABLE:
        reach_describe(service, text);
        break;
    case SERVICE_ALERT_REFUSING:
        describe_refusals(&service->refusals, text);
        break;
    case SERVICE_ALERT_BACKEND:
        str_buffer_add(text, "lacks a back end: %s", service->trouble);
        break;
    case N_SERVICE_ALERTS:
        break;
    }
}

static void describe_end(const struct service *service, enum service_alert alert,
                         struct str_buffer *text, uint64_t now)
{
    uint64_t duration = alert_duration(&service->alerts[alert], now);
    uint64_t worst = alerts_worst(service, alert);

    switch (alert) {
    case SERVICE_ALERT_FULL:
        str_buffer_add(text, "has room again after %" PRIu64 " s; up to %" PRIu64 " %s waited",
                       duration / USEC_PER_SEC, worst, str_plural(worst, "client", "clients"));
        break;
    case SERVICE_ALERT_WAITING:
        str_buffer_add(text,
                       "no longer keeps clients waiting after %" PRIu64
                       " s; the longest wait was %" PRIu64 ".%" PRIu64 " s",
                       duration / USEC_PER_SEC, worst / USEC_PER_SEC, tenths(worst));
        break;
    case SERVICE_ALERT_DYING:
        str_buffer_add(text, "keeps its workers again after %" PRIu64 " s; %" PRIu64 " had died",
                       duration / USEC_PER_SEC, worst);
        break;
    case SERVICE_ALERT_UNREACHABLE:
        str_buffer_add(text, "can be reached again after %" PRIu64 " s", duration / USEC_PER_SEC);
        break;
    case SERVICE_ALERT_REFUSING:
        str_buffer_add(text,
                       "admits clients again after %" PRIu64 " s; %" PRIu64 " had been refused",
                       duration / USEC_PER_SEC, worst);
        break;
    case SERVICE_ALERT_BACKEND:
        str_buffer_add(text, "has its back ends again after %" PRIu64 " s",
                       duration / USEC_PER_SEC);
        break;
    case N_SERVICE_ALERTS:
        break;
    }
}

static void tell_raised(struct service *service, enum service_alert alert, uint64_t now)
{
    struct subject subject = {.service = service->options->name,
                              .message_id = kinds[alert].raised_id};
    char words[640];
    struct str_buffer text = str_buffer_init(words, sizeof(words));

    if (alert == SERVICE_ALERT_FULL)
        statistics_count_full(service->statistics);
    alerts_describe(service, alert, &text);
    if (alert == SERVICE_ALERT_WAITING && queue_cause(service, now)[0]) {
        subject.reason = queue_cause(service, now);
        str_buffer_add(&text, ", for: %s", subject.reason);
    }
    report(LOG_WARNING, &subject, "%s; %s", words, kinds[alert].advice);
}

static void tell_cleared(const struct service *service, enum service_alert alert, uint64_t now)
{
    const struct subject subject = {.service = service->options->name,
                                    .message_id = kinds[alert].cleared_id};
    char words[256];
    struct str_buffer text = str_buffer_init(words, sizeof(words));

    if (service->pool->is_stopping)
        str_buffer_add(&text, "is stopped, which ends its alert \"%s\"", kinds[alert].name);
    else
        describe_end(service, alert, &text, now);
    report(LOG_NOTICE, &subject, "%s", words);
}

static void tell(struct service *service, enum service_alert alert, enum alert_change change,
                 uint64_t now)
{
    switch (change) {
    case ALERT_RAISED:
        tell_raised(service, alert, now);
        break;
    case ALERT_CLEARED:
        tell_cleared(service, alert, now);
        break;
    case ALERT_SAME:
        break;
    }
}

/* Takes the value as it is from now on. Returns when to look again. */
static uint64_t update(struct service *service, enum service_alert alert,
                       const struct alert_rule *rule, uint64_t value, uint64_t now)
{
    tell(service, alert, alert_update(&service->alerts[alert], rule, value, now), now);
    return alert_due(&service->alerts[alert], rule);
}

/* Without a ready worker there is no place, but no crowd either: the last one has died, or drains,
 * and clients wait for the next. */
static bool is_full(const struct service *service, enum accept_verdict verdict)
{
    const struct pool *pool = service->pool;

    return verdict == ACCEPT_NO_PLACE && pool_total(pool) >= service->pool_options.max_procs &&
           pool->n_starting == 0 && pool->n_ready > 0;
}

/* Its value is how many want a place, as far as the policy does not say otherwise: a pool may be
 * full with fewer, when a worker has fewer threads than MAX_CONNS or drains. */
static uint64_t look_at_places(struct service *service, enum accept_verdict verdict, uint64_t now)
{
    const struct pool *pool = service->pool;
    uint64_t places = places_of(service);
    uint64_t room = places / ROOM_PART > 0 ? places / ROOM_PART : 1;
    uint64_t value = pool->n_active + pool->n_handoffs;
    const struct alert_rule rule = {.high = places, .low = places - room, .clear_usec = ROOM_USEC};

    if (is_full(service, verdict))
        value = (value > places ? value : places) + pool->n_waiting + service->n_queued;
    else if (value >= places)
        value = places - 1;
    if (service->n_crowd > 0)
        alert_note(&service->alerts[SERVICE_ALERT_FULL], places + service->n_crowd);
    service->n_crowd = 0;
    return update(service, SERVICE_ALERT_FULL, &rule, value, now);
}

/* Since when somebody waits: here, or as far as that is known in the kernel's queues; 0: nobody
 * does. */
static uint64_t waiting_since(const struct service *service)
{
    const struct connection *first = TAILQ_FIRST(&service->waiting);
    uint64_t since = queue_stuck_since(service);

    if (first && (since == 0 || first->waiting_since < since))
        since = first->waiting_since;
    return since > 0 && since < service->waits_from ? service->waits_from : since;
}

/* Its value is the longest wait: of those who wait, and of those who did since the last look. */
static uint64_t look_at_waits(struct service *service, uint64_t now)
{
    static const struct alert_rule rule = {
        .high = WAIT_HIGH_USEC, .low = WAIT_LOW_USEC, .clear_usec = WAIT_CLEAR_USEC};
    uint64_t since = waiting_since(service);

    if (since > 0)
        service_note_wait(service, since, now);
    uint64_t value = service->longest_wait;
    service->longest_wait = 0;
    uint64_t due = update(service, SERVICE_ALERT_WAITING, &rule, value, now);
    if (since == 0 || service->alerts[SERVICE_ALERT_WAITING].is_raised)
        return due;
    return since + WAIT_HIGH_USEC < due ? since + WAIT_HIGH_USEC : due;
}

/* While one is starting, or none could be, it is not known whether the row is over. */
static bool is_settled(const struct pool *pool)
{
    return pool->n_starting == 0 && (pool->n_ready > 0 || pool->n_failed_starts == 0);
}

static uint64_t look_at_deaths(struct service *service, uint64_t now)
{
    static const struct alert_rule rule = {
        .high = DEATHS_HIGH, .low = 0, .clear_usec = DEATHS_CLEAR_USEC};
    struct alert *alert = &service->alerts[SERVICE_ALERT_DYING];
    bool was_raised = alert->is_raised;

    if (service->has_new_death)
        (void)update(service, SERVICE_ALERT_DYING, &rule, service->deaths.n, now);
    service->has_new_death = false;
    uint64_t due = update(service, SERVICE_ALERT_DYING, &rule,
                          is_settled(service->pool) ? 0 : service->deaths.n, now);
    if (was_raised && !alert->is_raised)
        service->deaths = (struct alert_row){0};
    return due;
}

static uint64_t look_at_reach(struct service *service, uint64_t now)
{
    static const struct alert_rule rule = {.high = 1, .low = 0};

    return update(service, SERVICE_ALERT_UNREACHABLE, &rule, reach_n_missing(service), now);
}

/* Its value is how many were refused since somebody was admitted. */
static uint64_t look_at_refusals(struct service *service, uint64_t now)
{
    static const struct alert_rule rule = {.high = REFUSAL_RUN_SUSPICIOUS, .low = 0};
    const struct refusal_run *refusals = &service->refusals;
    bool counts =
        service->alerts[SERVICE_ALERT_REFUSING].is_raised || refusal_run_is_alarming(refusals);

    return update(service, SERVICE_ALERT_REFUSING, &rule, counts ? refusals->n_all : 0, now);
}

/* Its value is how many workers lack one. */
static uint64_t look_at_backends(struct service *service, uint64_t now)
{
    static const struct alert_rule rule = {.high = 1, .low = 0, .clear_usec = BACKEND_CLEAR_USEC};

    return update(service, SERVICE_ALERT_BACKEND, &rule, service->n_in_trouble, now);
}

/* Whoever waits at a service that is stopped waits because somebody wanted that. */
static void end_all(struct service *service, uint64_t now)
{
    for (enum service_alert alert = 0; alert < N_SERVICE_ALERTS; alert++)
        tell(service, alert, alert_end(&service->alerts[alert], now), now);
    service->waits_from = now;
    service->longest_wait = 0;
    service->deaths = (struct alert_row){0};
    service->has_new_death = false;
    service->refusals = (struct refusal_run){0};
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
    due[SERVICE_ALERT_REFUSING] = look_at_refusals(service, now);
    due[SERVICE_ALERT_BACKEND] = look_at_backends(service, now);
    for (enum service_alert alert = 0; alert < N_SERVICE_ALERTS; alert++)
        if (due[alert] < earliest)
            earliest = due[alert];
    return earliest;
}
