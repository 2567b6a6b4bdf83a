/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Workers and connections: lists that can be long, and so come in parts. */
#include "dispatcherd/control/call.h"
#include "dispatcherd/core/archive.h"
#include "dispatcherd/core/passed_on.h"
#include "dispatcherd/core/worker.h"

#include <stdio.h>
#include <string.h>

/* The most rows of one reply, apart from the rest of a slot. Making and printing them takes 0.7 ms,
 * in which nothing else of the daemon runs: 7 us a row. With parts of a thousand, it was 9 us a
 * row. */
#define ROWS_AT_ONCE 100

/* How many of a service's waiting connections are listed. They come and go, so they cannot be
 * listed in parts. */
#define WAITING_ROWS_MAX 1000

/* The connections that wait are listed after those of the workers, as if one more worker held them.
 */
#define SLOT_WAITING POOL_WORKERS_MAX

/* Then the connections that workers have passed on, this many record numbers a slot: a connection
 * keeps its number. */
#define SLOT_PASSED_ON (SLOT_WAITING + 1)
#define NUMBERS_A_SLOT 128

#define SLOT_LAST (SLOT_PASSED_ON + STATE_RECORDS_MAX / NUMBERS_A_SLOT - 1)

/* Where a list continues: "SERVICE/SLOT", the first slot that was not listed yet. Opaque to
 * clients, which send it back. */
struct position {
    size_t service;
    unsigned slot;
};

static int position_parse(const struct control_call *call, const char *text, struct position *ret)
{
    char name[64], end;
    unsigned slot;

    if (sscanf(text, "%63[^/]/%4u%c", name, &slot, &end) != 2 || slot > SLOT_LAST)
        return -1;
    size_t service = control_daemon_find(&call->daemon, name);
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

/* Appends the rows of one slot of the service. */
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

    TAILQ_FOREACH(connection, &service->waiting, queue_link) {
        if (n++ == WAITING_ROWS_MAX)
            break;
        view_append(array, view_connection(connection, clock));
    }
}

static void list_passed_on(json_t **array, const struct service *service, unsigned first,
                           const struct control_clock *clock)
{
    unsigned n_numbers = passed_on_n_numbers(service->context);

    for (unsigned i = first; i < first + NUMBERS_A_SLOT && i < n_numbers; i++) {
        const struct connection *connection = passed_on_connection(service, i);

        if (connection)
            view_append(array, view_connection(connection, clock));
    }
}

static void list_connections(json_t **array, const struct service *service, unsigned slot,
                             const struct control_clock *clock)
{
    if (slot == SLOT_WAITING) {
        list_waiting(array, service, clock);
    } else if (slot > SLOT_WAITING) {
        list_passed_on(array, service, (slot - SLOT_PASSED_ON) * NUMBERS_A_SLOT, clock);
    } else if (service->workers[slot]) {
        const struct worker *worker = service->workers[slot];

        for (unsigned i = 0; i < worker->n_held; i++)
            view_append(array, view_connection(worker->held[i], clock));
    }
}

/* Ended connections are one list, which counts as the first slot. */
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

/* Lists slots from `from` on, of the services before `last`, until the part is long enough. Returns
 * the array; *ret_next is where to continue, or json_null(). */
static json_t *list_part(const struct control_call *call, struct position from, size_t last,
                         list_function list, json_t **ret_next)
{
    json_t *array = json_array();

    for (; from.service < last; from = (struct position){.service = from.service + 1})
        for (; from.slot <= SLOT_LAST; from.slot++) {
            if (json_array_size(array) >= ROWS_AT_ONCE) {
                *ret_next = position_text(call, from);
                return array;
            }
            list(&array, call->daemon.services[from.service], from.slot, &call->clock);
        }
    *ret_next = json_null();
    return array;
}

/* The names of the services from `first` to before `last` that have HISTORICAL_TIME=0. */
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

/* `is_over`: the list is of ended items. */
static json_t *reply_list(const struct control_call *call, const char *name, list_function list,
                          bool is_over)
{
    const char *service = control_call_text(call, "service");
    const char *after = control_call_text(call, "after");
    struct position from = {0};
    size_t first = 0, last = call->daemon.n_services;
    json_t *next = NULL;

    if (service) {
        from.service = control_daemon_find(&call->daemon, service);
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
