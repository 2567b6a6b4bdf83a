/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/certificate.h"

#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/core/worker.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Time enough to renew one by hand. */
#define EXPIRES_SOON_SEC (14 * 24 * 3600)

bool certificate_is_bad(const struct service *service)
{
    const struct certificate *certificate = &service->certificate;

    return certificate->fault[0] ||
           (certificate->is_known &&
            certificate->expires_at - (int64_t)time(NULL) <= EXPIRES_SOON_SEC);
}

uint64_t certificate_bad_at(const struct service *service, uint64_t now)
{
    const struct certificate *certificate = &service->certificate;
    int64_t left = certificate->expires_at - EXPIRES_SOON_SEC - (int64_t)time(NULL);

    if (!certificate->is_known || left <= 0)
        return USEC_INFINITY;
    return time_add_usec(now, (uint64_t)left * USEC_PER_SEC);
}

void certificate_failed(struct service *service, const char *fault)
{
    struct certificate *certificate = &service->certificate;

    snprintf(certificate->fault, sizeof(certificate->fault), "%s", fault);
    str_make_printable(certificate->fault);
    service_touch(service);
}

/* Those that are older, and show another one. */
static void certificate_outdate_others(struct worker *worker)
{
    struct service *service = worker->service;

    for (unsigned slot = 0; slot < service->pool->n_slots; slot++) {
        const struct worker *other = service->workers[slot];

        if (other && other->certificate[0] &&
            strcmp(other->certificate, worker->certificate) != 0 &&
            worker_in_pool(other)->start_number < worker_in_pool(worker)->start_number &&
            worker_in_pool(other)->state == POOL_WORKER_READY)
            pool_worker_outdated(service->pool, slot);
    }
    service_touch(service);
}

static bool certificate_others_serve(const struct worker *worker, int64_t now)
{
    const struct certificate *certificate = &worker->service->certificate;

    return certificate->is_known && certificate->expires_at > now &&
           worker->service->pool->n_ready > 0;
}

bool certificate_shown(struct worker *worker, const char *sha256, int64_t expires_at)
{
    struct service *service = worker->service;
    struct certificate *certificate = &service->certificate;
    int64_t now = time(NULL);

    if (expires_at <= now && worker->state == WORKER_WELCOMED &&
        certificate_others_serve(worker, now)) {
        certificate_failed(service, "what a new worker found has expired; the old ones stay");
        return false;
    }
    snprintf(worker->certificate, sizeof(worker->certificate), "%s", sha256 ? sha256 : "");
    str_make_printable(worker->certificate);
    service_touch(service);
    if (certificate->is_known && worker_in_pool(worker)->start_number < certificate->start_number)
        return true;
    certificate->is_known = true;
    certificate->start_number = worker_in_pool(worker)->start_number;
    certificate->expires_at = expires_at;
    certificate->fault[0] = '\0';
    memcpy(certificate->sha256, worker->certificate, sizeof(certificate->sha256));
    certificate_outdate_others(worker);
    return true;
}

void certificate_look_again(struct service *service)
{
    const struct pool_worker *oldest = NULL;

    if (!service->certificate.is_known)
        return;
    for (unsigned slot = 0; slot < service->pool->n_slots; slot++) {
        const struct pool_worker *worker = &service->pool->workers[slot];

        if (worker->state == POOL_WORKER_READY && service->workers[slot]->certificate[0] &&
            (!oldest || worker->start_number < oldest->start_number))
            oldest = worker;
    }
    if (oldest && !oldest->is_outdated)
        pool_worker_outdated(service->pool, (unsigned)(oldest - service->pool->workers));
    /* If it leaves enough of them behind, nothing needs to be started in its place. */
    pool_want_start(service->pool);
    service_touch(service);
}
