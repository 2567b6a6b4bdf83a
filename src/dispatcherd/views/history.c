/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Ended items as JSON. They may come from a predecessor's memory, in which nothing is trusted. */
#include "dispatcherd/core/archive.h"
#include "dispatcherd/views/views.h"
#include "protocol/connection_id.h"

#include <stdio.h>
#include <string.h>

static json_t *view_id(uint64_t id)
{
    char text[CONNECTION_ID_BYTES];

    return json_string(connection_id_format(id, text));
}

/* The text of an array that may lack its NUL; null for "". */
static json_t *view_bounded(const char *text, size_t size)
{
    char copy[128];

    snprintf(copy, sizeof(copy), "%.*s", (int)strnlen(text, size), text);
    return view_text(copy[0] ? copy : NULL);
}

static json_t *view_pid(int32_t pid)
{
    return pid > 0 ? json_integer(pid) : json_null();
}

static json_t *view_rejection(const struct history_connection *ended)
{
    if (ended->end != HISTORY_REJECTED || ended->rejection >= N_STATISTICS_REJECTIONS)
        return json_null();
    return json_string(statistics_rejection_to_string(ended->rejection));
}

json_t *view_tls(const struct history_tls *tls)
{
    if (!tls || !tls->protocol[0])
        return json_null();
    json_t *object = json_object();
    view_put(&object, "protocol", view_bounded(tls->protocol, sizeof(tls->protocol)));
    view_put(&object, "cipher", view_bounded(tls->cipher, sizeof(tls->cipher)));
    view_put(&object, "client_subject", view_bounded(tls->subject, sizeof(tls->subject)));
    view_put(&object, "client_sha256", view_bounded(tls->sha256, sizeof(tls->sha256)));
    return object;
}

static json_t *view_ended_connection(const struct service *service,
                                     const struct history_connection *ended,
                                     const struct control_clock *clock)
{
    json_t *object = json_object();

    view_put(&object, "id", view_id(ended->id));
    view_put(&object, "service", json_string(service->options->name));
    view_put(&object, "end", json_string(history_end_to_string(ended->end)));
    view_put(&object, "rejection", view_rejection(ended));
    view_put(&object, "worker_pid", view_pid(ended->worker_pid));
    view_put(&object, "client", view_address(&ended->peer));
    view_put(&object, "local", view_address(&ended->local));
    view_put(&object, "is_tls", json_boolean(ended->is_tls));
    view_put(&object, "tls", view_tls(&ended->tls));
    view_put(&object, "ident_user", view_bounded(ended->ident_user, sizeof(ended->ident_user)));
    view_put(&object, "queued_usec", view_count(ended->queued_usec));
    view_put(&object, "accepted_at", view_time(ended->accepted_at, clock));
    view_put(&object, "handed_at", view_time(ended->handed_at, clock));
    view_put(&object, "ended_at", view_time(ended->ended_at, clock));
    return object;
}

static json_t *view_held(const struct history_worker *ended)
{
    json_t *array = json_array();

    for (uint32_t i = 0; i < ended->n_held && i < HISTORY_HELD_MAX; i++)
        view_append(&array, view_id(ended->held[i]));
    return array;
}

static json_t *view_ended_worker(const struct service *service, const struct history_worker *ended,
                                 const struct control_clock *clock)
{
    json_t *object = json_object();

    view_put(&object, "service", json_string(service->options->name));
    view_put(&object, "slot", json_integer(ended->slot));
    view_put(&object, "pid", view_pid(ended->pid));
    view_put(&object, "n_current", json_integer(ended->n_current));
    view_put(&object, "n_peak", json_integer(ended->n_peak));
    view_put(&object, "n_total", view_count(ended->n_total));
    view_put(&object, "started_at", view_time(ended->started_at, clock));
    view_put(&object, "ready_at", view_time(ended->ready_at, clock));
    view_put(&object, "ended_at", view_time(ended->ended_at, clock));
    view_put(&object, "start_reason",
             view_bounded(ended->start_reason, sizeof(ended->start_reason)));
    view_put(&object, "retire_reason",
             view_bounded(ended->retire_reason, sizeof(ended->retire_reason)));
    view_put(&object, "cause", view_bounded(ended->cause, sizeof(ended->cause)));
    view_put(&object, "exit_status",
             ended->exit_status >= 0 ? json_integer(ended->exit_status) : json_null());
    view_put(&object, "signal", ended->signal > 0 ? json_integer(ended->signal) : json_null());
    view_put(&object, "held", view_held(ended));
    return object;
}

void view_ended_connections(json_t **array, const struct service *service,
                            const struct control_clock *clock)
{
    const struct history *history = &service->state->history;
    uint64_t limit = archive_limit_usec(service);
    const struct history_connection *ended;

    for (size_t i = 0; (ended = history_connection(history, i, limit, clock->monotonic)); i++)
        view_append(array, view_ended_connection(service, ended, clock));
}

void view_ended_workers(json_t **array, const struct service *service,
                        const struct control_clock *clock)
{
    const struct history *history = &service->state->history;
    uint64_t limit = archive_limit_usec(service);
    const struct history_worker *ended;

    for (size_t i = 0; (ended = history_worker(history, i, limit, clock->monotonic)); i++)
        view_append(array, view_ended_worker(service, ended, clock));
}
