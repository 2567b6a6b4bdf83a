/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/messages/stress.h"

#include "base/time.h"
#include "dispatcherd/alerts/alert_watch.h"
#include "dispatcherd/messages/orders.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"

#include <inttypes.h>

/* Early enough to leave room for new clients until the first slow ones are disconnected. */
#define HIGH_FIFTHS 4
#define LOW_FIFTHS  3

/* The load of a busy service goes up and down. */
#define CALM_USEC (10 * USEC_PER_SEC)

static void stress_send(struct worker *worker)
{
    worker->is_told_of_stress = worker->service->stress.is_raised;
    order_stress(worker, worker->is_told_of_stress);
}

static void stress_tell(struct worker *worker)
{
    if (worker->knows.stress && worker->channel >= 0 &&
        (worker->state == WORKER_READY || worker->state == WORKER_DRAINING) &&
        worker->is_told_of_stress != worker->service->stress.is_raised)
        stress_send(worker);
}

void stress_tell_ready(struct worker *worker)
{
    worker->is_told_of_stress =
        worker->start_reason == REASON_ADOPTED && !worker->service->stress.is_raised;
    stress_tell(worker);
}

void stress_send_again(struct worker *worker)
{
    if (worker->channel >= 0)
        stress_send(worker);
}

static void stress_report(const struct service *service, enum alert_change change, uint64_t now)
{
    const struct alert *stress = &service->stress;
    struct subject subject = {.service = service->options->name, .message_id = MESSAGE_ID_STRESS};
    uint64_t n_sec = alert_duration(stress, now) / USEC_PER_SEC;

    if (change == ALERT_RAISED) {
        report(LOG_NOTICE, &subject,
               "is under stress: %" PRIu64 " of %lu places are taken; slow clients get less time",
               stress->worst, service_places(service));
        return;
    }
    subject.message_id = MESSAGE_ID_STRESS_OVER;
    report(LOG_NOTICE, &subject,
           "stress is over; it lasted %" PRIu64 " s; clients get their usual time", n_sec);
}

/* A service may be full with free places: a worker that drains takes no more connections. */
static uint64_t stress_places_taken(const struct service *service, uint64_t places)
{
    const struct pool *pool = service->pool;

    return alerts_is_full(service) ? places : pool_load(pool);
}

uint64_t stress_look(struct service *service, uint64_t now)
{
    uint64_t places = service_places(service);
    uint64_t high = places - places / 5 * (5 - HIGH_FIFTHS), low = places * LOW_FIFTHS / 5;
    const struct alert_rule rule = {
        .high = high > 0 ? high : 1, .low = low, .clear_usec = CALM_USEC};
    enum alert_change change =
        alert_update(&service->stress, &rule, stress_places_taken(service, places), now);

    if (change != ALERT_SAME) {
        stress_report(service, change, now);
        for (unsigned slot = 0; slot < service->pool->n_slots; slot++)
            if (service->workers[slot])
                stress_tell(service->workers[slot]);
    }
    return alert_due(&service->stress, &rule);
}
