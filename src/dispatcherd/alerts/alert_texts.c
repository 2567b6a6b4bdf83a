/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/alerts/alert_texts.h"

#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/alerts/alert_watch.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/sockets/kernel_queue.h"

#include <inttypes.h>
#include <time.h>

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
    [SERVICE_ALERT_UNREACHABLE] = {"unreachable", MESSAGE_ID_SOCKET_MISSING,
                                   MESSAGE_ID_SOCKET_AGAIN,
                                   "run \"dispatcherctl apply\", or \"dispatcherctl reload\" if "
                                   "this daemon was started by hand"},
    [SERVICE_ALERT_REFUSING] = {"refusing", MESSAGE_ID_EVERYBODY_REFUSED, MESSAGE_ID_ADMITS_AGAIN,
                                "\"dispatcherctl explain ADDRESS\" shows what was decided about a "
                                "client"},
    [SERVICE_ALERT_BACKEND] =
        {"backend", MESSAGE_ID_BACKEND_AWAY, MESSAGE_ID_BACKEND_AGAIN,
         "clients wait, or are turned away; check whether that server is running"},
    [SERVICE_ALERT_CERTIFICATE] = {"certificate", MESSAGE_ID_CERTIFICATE_BAD,
                                   MESSAGE_ID_CERTIFICATE_GOOD,
                                   "renew it, and restart the service: dispatcherctl restart "},
};

const char *service_alert_to_string(enum service_alert alert)
{
    return kinds[alert].name;
}

static uint64_t tenths(uint64_t usec)
{
    return usec % USEC_PER_SEC / (USEC_PER_SEC / 10);
}

static void alert_texts_full(const struct service *service, struct str_buffer *text)
{
    const struct pool *pool = service->pool;
    bool is_full = alerts_is_full(service);

    str_buffer_add(text, "%s: %u/%lu connections in %u %s (MAX_PROCS=%u, MAX_CONNS=%u)",
                   is_full ? "is full" : "was full until a moment ago", pool_load(pool),
                   service_places(service), pool_total(pool),
                   str_plural(pool_total(pool), "worker", "workers"),
                   service->pool_options.max_procs, service->pool_options.max_conns);
    if (is_full)
        str_buffer_add(text, "; further clients wait in the kernel's queue");
}

static void alert_texts_rejections(const struct rejection_run *rejections, struct str_buffer *text)
{
    str_buffer_add(text, "rejects every client: %u %s in a row, the last %s", rejections->n_all,
                   str_plural(rejections->n_all, "client", "clients"),
                   rejection_run_cause(rejections));
    if (rejections->detail[0])
        str_buffer_add(text, " (%s)", rejections->detail);
}

void alert_texts_certificate(const struct service *service, struct str_buffer *text)
{
    const struct certificate *certificate = &service->certificate;
    time_t at = (time_t)certificate->expires_at, now = time(NULL);
    char date[64] = "";
    struct tm tm;

    if (certificate->fault[0]) {
        str_buffer_add(text, "has a certificate that cannot be used: %s", certificate->fault);
        return;
    }
    if (gmtime_r(&at, &tm))
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &tm);
    if (at <= now)
        str_buffer_add(text, "has a certificate that expired on %s", date);
    else
        str_buffer_add(text, "has a certificate that expires on %s", date);
}

void alerts_describe(const struct service *service, enum service_alert alert,
                     struct str_buffer *text)
{
    const struct pool *pool = service->pool;
    uint64_t worst = alerts_worst(service, alert);

    switch (alert) {
    case SERVICE_ALERT_FULL:
        alert_texts_full(service, text);
        break;
    case SERVICE_ALERT_WAITING:
        str_buffer_add(text,
                       "keeps clients waiting: the longest for %" PRIu64 ".%" PRIu64
                       " s so far, %" PRIu64 " now",
                       worst / USEC_PER_SEC, tenths(worst),
                       pool->n_waiting + service->backlog.n_clients);
        break;
    case SERVICE_ALERT_DYING:
        str_buffer_add(text, "loses its workers: %" PRIu64 " died in a row; the last: %s", worst,
                       service->alerts.last_death);
        break;
    case SERVICE_ALERT_UNREACHABLE:
        reach_describe(&service->reach, service->n_listeners, text);
        break;
    case SERVICE_ALERT_REFUSING:
        alert_texts_rejections(&service->rejections, text);
        break;
    case SERVICE_ALERT_BACKEND:
        str_buffer_add(text, "lacks a back end: %s", service->backends.trouble);
        break;
    case SERVICE_ALERT_CERTIFICATE:
        alert_texts_certificate(service, text);
        break;
    case N_SERVICE_ALERTS:
        break;
    }
}

static void alert_texts_end(const struct service *service, enum service_alert alert,
                            struct str_buffer *text, uint64_t now)
{
    uint64_t duration = alert_duration(&service->alerts.of[alert], now);
    uint64_t worst = alerts_worst(service, alert);

    switch (alert) {
    case SERVICE_ALERT_FULL:
        str_buffer_add(text, "has room again after %" PRIu64 " s; up to %" PRIu64 " %s waited",
                       duration / USEC_PER_SEC, worst, str_plural(worst, "client", "clients"));
        break;
    case SERVICE_ALERT_WAITING:
        str_buffer_add(text,
                       "clients no longer wait; this lasted %" PRIu64
                       " s, and the longest wait was %" PRIu64 ".%" PRIu64 " s",
                       duration / USEC_PER_SEC, worst / USEC_PER_SEC, tenths(worst));
        break;
    case SERVICE_ALERT_DYING:
        str_buffer_add(text,
                       "workers no longer die; this lasted %" PRIu64 " s, and %" PRIu64 " had died",
                       duration / USEC_PER_SEC, worst);
        break;
    case SERVICE_ALERT_UNREACHABLE:
        str_buffer_add(text, "can be reached again after %" PRIu64 " s", duration / USEC_PER_SEC);
        break;
    case SERVICE_ALERT_REFUSING:
        str_buffer_add(text,
                       "admits clients again after %" PRIu64 " s; %" PRIu64 " had been rejected",
                       duration / USEC_PER_SEC, worst);
        break;
    case SERVICE_ALERT_BACKEND:
        str_buffer_add(text, "has its back ends again after %" PRIu64 " s",
                       duration / USEC_PER_SEC);
        break;
    case SERVICE_ALERT_CERTIFICATE:
        str_buffer_add(text, "has a valid certificate again after %" PRIu64 " s",
                       duration / USEC_PER_SEC);
        break;
    case N_SERVICE_ALERTS:
        break;
    }
}

static const char *advice(const struct service *service, enum service_alert alert, uint64_t now)
{
    if (alert == SERVICE_ALERT_WAITING && service_waits_for_server(service, now))
        return "check whether that server is running, and how many clients it takes at a time";
    if (alert == SERVICE_ALERT_UNREACHABLE && service->reach.n_lost > 0)
        return "an earlier line has the command to listen again";
    return kinds[alert].advice;
}

void alert_texts_raised(const struct service *service, enum service_alert alert, uint64_t now)
{
    struct subject subject = {.service = service->options->name,
                              .message_id = kinds[alert].raised_id};
    char words[640];
    struct str_buffer text = str_buffer_init(words, sizeof(words));

    alerts_describe(service, alert, &text);
    if (alert == SERVICE_ALERT_WAITING && service_wait_cause(service, now)[0]) {
        subject.reason = service_wait_cause(service, now);
        str_buffer_add(&text, ", for: %s", subject.reason);
    }
    /* That advice ends with a command for the service. */
    report(LOG_WARNING, &subject, "%s; %s%s", words, advice(service, alert, now),
           alert == SERVICE_ALERT_CERTIFICATE ? service->options->name : "");
}

void alert_texts_cleared(const struct service *service, enum service_alert alert, uint64_t now)
{
    const struct subject subject = {.service = service->options->name,
                                    .message_id = kinds[alert].cleared_id};
    char words[256];
    struct str_buffer text = str_buffer_init(words, sizeof(words));

    if (service->pool->is_stopping)
        str_buffer_add(&text, "is stopped, which ends its alert \"%s\"", kinds[alert].name);
    else
        alert_texts_end(service, alert, &text, now);
    report(LOG_NOTICE, &subject, "%s", words);
}
