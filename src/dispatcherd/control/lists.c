/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Workers and connections: lists that can be long, and so come in parts. */
#include "dispatcherd/control/call.h"
#include "dispatcherd/core/archive.h"
#include "dispatcherd/core/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows of one reply, but for the rest of a slot: while they are made and printed, in 0.7 ms,
 * nothing else of the daemon runs. Parts of a thousand took 9 us a row, these take 7. */
#define ROWS_AT_ONCE 100

/* Of a service's connections that wait, which cannot be told in parts: they come and go. */
#define WAITING_ROWS_MAX 1000

/* After the workers of a service comes what waits for one: as if it were held by one more. */
#define SLOT_WAITING POOL_WORKERS_MAX

/* Where a list goes on: "SERVICE/SLOT", the first slot that is not yet told. Text for the client to
 * give back, not to read. */
struct position {
    size_t service;
    unsigned slot;
};

static int position_parse(const struct control_call *call, const char *text, struct position *ret)
{
    char name[64], end;
    unsigned slot;

    if (sscanf(text, "%63[^/]/%4u%c", name, &slot, &end) != 2 || slot > SLOT_WAITING)
        return -1;
    size_t service = control_call_find(call, name);
    if (service == call->daemon.n_services)
        return -1;
    *ret = (struct position){.service = service, .slot = slot};
    return 0;
}

static json_t *position_text(const struct control_call *call, struct position position)
{
    return json_sprintf("%s/%u", call->daemon.services[position.service]->options->name,
                        position.slot);
}

/* Appends what the slot of the service has to tell. */
typedef void (*list_function)(json_t **array, const struct service *service, unsigned slot,
                              const struct control_clock *clock);

static void list_worker(json_t **array, const struct service *service, unsigned slot,
                        const struct control_clock *clock)
{
    if (slot < SLOT_WAITING && service->workers[slot])
        view_append(array, view_worker(service->workers[slot], clock));
}

static void list_waiting(json_t **array, const struct service *service,
                         const struct control_clock *clock)
{
    const struct connection *connection;
    unsigned n = 0;

    TAILQ_FOREACH(connection, &service->waiting, waiting_link) {
        if (n++ == WAITING_ROWS_MAX)
            break;
        view_append(array, view_connection(connection, clock));
    }
}

static void list_connections(json_t **array, const struct service *service, unsigned slot,
                             const struct control_clock *clock)
{
    if (slot == SLOT_WAITING) {
        list_waiting(array, service, clock);
    } else if (service->workers[slot]) {
        const struct worker *worker = service->workers[slot];

        for (unsigned i = 0; i < worker->n_held; i++)
            view_append(array, view_connection(worker->held[i], clock));
    }
}

/* What is over is one list, told with the first slot. */
static void list_ended_connections(json_t **array, const struct service *service, unsigned slot,
                                   const struct control_clock *clock)
{
    if (slot == 0)
        view_ended_connections(array, service, clock);
}

static void list_ended_workers(json_t **array, const struct service *service, unsigned slot,
                               const struct control_clock *clock)
{
    if (slot == 0)
        view_ended_workers(array, service, clock);
}

/* The slots from `from` on, of the services before `last`, until the part is long enough. Returns
 * the array, with in *ret_next where to go on, or json_null(). */
static json_t *list_part(const struct control_call *call, struct position from, size_t last,
                         list_function list, json_t **ret_next)
{
    json_t *array = json_array();

    for (; from.service < last; from = (struct position){.service = from.service + 1})
        for (; from.slot <= SLOT_WAITING; from.slot++) {
            if (json_array_size(array) >= ROWS_AT_ONCE) {
                *ret_next = position_text(call, from);
                return array;
            }
            list(&array, call->daemon.services[from.service], from.slot, &call->clock);
        }
    *ret_next = json_null();
    return array;
}

/* The names of the services, from `first` to before `last`, whose HISTORICAL_TIME is 0. */
static json_t *view_not_kept(const struct control_call *call, size_t first, size_t last)
{
    json_t *array = json_array();

    for (size_t i = first; i < last; i++) {
        const struct service *service = call->daemon.services[i];

        if (archive_limit_usec(service) == 0)
            view_append(&array, json_string(service->options->name));
    }
    return array;
}

/* `is_over`: of what has ended. */
static json_t *reply_list(const struct control_call *call, const char *name, list_function list,
                          bool is_over)
{
    const char *service = control_call_text(call, "service");
    const char *after = control_call_text(call, "after");
    struct position from = {0};
    size_t first = 0, last = call->daemon.n_services;
    json_t *next = NULL;

    if (service) {
        from.service = control_call_find(call, service);
        if (from.service == call->daemon.n_services)
            return control_no_such_service(service);
        first = from.service;
        last = first + 1;
    }
    if (after && position_parse(call, after, &from) < 0)
        return varlink_error(VARLINK_INVALID_PARAMETER, json_pack("{s:s}", "parameter", "after"));
    json_t *array = list_part(call, from, last, list, &next);
    json_t *parameters = json_object();
    view_put(&parameters, "now", view_time(call->clock.monotonic, &call->clock));
    view_put(&parameters, name, array);
    if (is_over)
        view_put(&parameters, "not_kept", view_not_kept(call, first, last));
    view_put(&parameters, "next", next);
    return varlink_reply(parameters);
}

json_t *control_workers(const struct control_call *call)
{
    return reply_list(call, "workers", list_worker, false);
}

json_t *control_connections(const struct control_call *call)
{
    return reply_list(call, "connections", list_connections, false);
}

json_t *control_ended_connections(const struct control_call *call)
{
    return reply_list(call, "connections", list_ended_connections, true);
}

json_t *control_ended_workers(const struct control_call *call)
{
    return reply_list(call, "workers", list_ended_workers, true);
}
