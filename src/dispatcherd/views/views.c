/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/views/views.h"

#include "base/time.h"
#include "dispatcherd/alerts/alert_watch.h"
#include "dispatcherd/core/passed_on.h"
#include "dispatcherd/core/worker.h"
#include "dispatcherd/sockets/kernel_queue.h"
#include "protocol/connection_id.h"

#include <stdlib.h>
#include <systemd/sd-login.h>

static const char *view_service_state(const struct service *service)
{
    const struct pool *pool = service->pool;

    if (!pool->is_stopping)
        return alerts_is_full(service) ? "full" : "running";
    if (pool_total(pool) > 0 || pool->n_waiting > 0 || pool->n_checking > 0 ||
        pool->n_passed_on > 0)
        return "stopping";
    return "stopped";
}

/* The sum for all listeners. */
static json_t *view_queue(const struct service *service)
{
    uint64_t n_waiting = 0, limit = 0;

    for (size_t i = 0; i < service->n_listeners; i++) {
        struct queue_depth depth = queue_look(&service->listeners[i]);

        n_waiting += depth.n_waiting;
        limit += depth.limit;
    }
    return view_gauge(n_waiting, limit);
}

static uint64_t full_since(const struct service *service)
{
    return alerts_is_full(service) ? service->alerts.of[SERVICE_ALERT_FULL].raised_at : 0;
}

/* Whether clients are accepted. One may be accepted to try whether a worker can be started; for
 * people that is no acceptance. */
static const char *accept_text(const struct service *service, uint64_t now)
{
    struct pool *pool = service->pool;
    enum accept_verdict verdict = policy_may_accept(pool, &service->pool_options, now);

    if (service->n_listeners > 0 && (verdict == ACCEPT_YES || verdict == ACCEPT_NO_PLACE) &&
        pool->n_failed_starts > 0 && pool->n_ready == 0)
        return "no worker can be started";
    return reach_accepts(service->n_listeners, verdict);
}

json_t *view_summary(const struct service *service, const struct control_clock *clock)
{
    const struct pool *pool = service->pool;
    const struct pool_options *options = &service->pool_options;
    uint64_t places = service_places(service);
    uint64_t taken = pool_load(pool);
    json_t *object = json_object();

    view_put(&object, "name", json_string(service->options->name));
    view_put(&object, "state", json_string(view_service_state(service)));
    view_put(&object, "accept", json_string(accept_text(service, clock->monotonic)));
    view_put(&object, "workers", view_gauge(pool_total(pool), options->max_procs));
    view_put(&object, "n_starting", json_integer(pool->n_starting));
    view_put(&object, "n_ready", json_integer(pool->n_ready));
    view_put(&object, "n_draining", json_integer(pool->n_draining));
    view_put(&object, "active", view_gauge(pool->n_active + pool->n_passed_on, places));
    view_put(&object, "passed_on", view_count(pool->n_passed_on));
    view_put(&object, "passed_on_within_usec",
             pool->n_passed_on > 0 ? view_count(passed_on_exactness(service->context))
                                   : json_null());
    view_put(&object, "handoffs", view_gauge(pool->n_handoffs, options->max_handoffs));
    /* No more are accepted than there are free places. */
    view_put(&object, "waiting", view_gauge(pool->n_waiting, places > taken ? places - taken : 0));
    view_put(&object, "checking", view_gauge(pool->n_checking, POLICY_CHECKING_MAX));
    view_put(&object, "queue", view_queue(service));
    view_put(&object, "queue_since", view_time(service->backlog.since, clock));
    view_put(&object, "waits_for", view_text(service_wait_cause(service, clock->monotonic)));
    view_put(&object, "has_socket", json_boolean(service->n_listeners > 0));
    view_put(&object, "full_since", view_time(full_since(service), clock));
    view_put(&object, "stressed_since",
             view_time(service->stress.is_raised ? service->stress.raised_at : 0, clock));
    view_put(&object, "start_error",
             view_text(service->failed_starts.error[0] ? service->failed_starts.error : NULL));
    return object;
}

static json_t *view_listener(const struct listener *listener, const struct control_clock *clock)
{
    struct queue_depth depth = queue_look(listener);
    uint64_t since = depth.n_waiting > 0 ? listener->waiting_since : 0;
    json_t *object = view_address(&listener->address);

    view_put(&object, "is_tls", json_boolean(listener->is_tls));
    view_put(&object, "is_inherited", json_boolean(listener->is_inherited));
    view_put(&object, "queue", view_gauge(depth.n_waiting, depth.limit));
    view_put(&object, "queue_since", view_time(since, clock));
    view_put(&object, "n_dropped", view_count(depth.n_dropped));
    return object;
}

static json_t *view_listeners(const struct service *service, const struct control_clock *clock)
{
    json_t *array = json_array();

    for (size_t i = 0; i < service->n_listeners; i++)
        view_append(&array, view_listener(&service->listeners[i], clock));
    return array;
}

static json_t *view_certificate(const struct certificate *certificate)
{
    if (!certificate->is_known && !certificate->fault[0])
        return json_null();
    json_t *object = json_object();
    view_put(&object, "expires_at",
             certificate->is_known ? json_integer(certificate->expires_at) : json_null());
    view_put(&object, "sha256", view_text(certificate->sha256[0] ? certificate->sha256 : NULL));
    view_put(&object, "fault", view_text(certificate->fault[0] ? certificate->fault : NULL));
    return object;
}

json_t *view_service(const struct service *service, bool is_trusted,
                     const struct control_clock *clock)
{
    json_t *object = view_summary(service, clock);

    view_put(&object, "listeners", view_listeners(service, clock));
    view_put(&object, "certificate", view_certificate(&service->certificate));
    view_put(&object, "statistics", view_statistics(service, clock));
    view_put(&object, "options", view_options(service->options, is_trusted));
    return object;
}

/* A child process is in our own unit, which says nothing about it. */
static json_t *view_unit(const struct worker *worker)
{
    char *unit = NULL;

    if (worker->is_child || worker->pid == 0 || sd_pid_get_unit(worker->pid, &unit) < 0)
        return json_null();
    json_t *value = view_text(unit);
    free(unit);
    return value;
}

static json_t *reason_or_null(enum decision_reason reason)
{
    return reason == REASON_NONE ? json_null() : json_string(decision_reason_to_string(reason));
}

static json_t *pid_or_null(pid_t pid)
{
    return pid > 0 ? json_integer(pid) : json_null();
}

json_t *view_worker(const struct worker *worker, const struct control_clock *clock)
{
    const struct pool_worker *in_pool = worker_in_pool(worker);
    /* How many it can serve is unknown until it is ready. */
    unsigned limit =
        in_pool->max_conns > 0 ? in_pool->max_conns : worker->service->pool_options.max_conns;
    bool is_idle = in_pool->state == POOL_WORKER_READY && pool_worker_load(in_pool) == 0;
    json_t *object = json_object();

    view_put(&object, "service", json_string(worker->service->options->name));
    view_put(&object, "slot", json_integer(worker->slot));
    view_put(&object, "pid", pid_or_null(worker->pid));
    view_put(&object, "is_child", json_boolean(worker->is_child));
    view_put(&object, "unit", view_unit(worker));
    view_put(&object, "state", json_string(pool_worker_state_to_string(in_pool->state)));
    view_put(&object, "connections", view_gauge(pool_worker_load(in_pool), limit));
    view_put(&object, "n_active", json_integer(in_pool->n_active));
    view_put(&object, "n_handoffs", json_integer(in_pool->n_handoffs));
    view_put(&object, "n_peak", json_integer(in_pool->n_peak));
    view_put(&object, "n_total", view_count(in_pool->n_total));
    view_put(&object, "started_at", view_time(in_pool->started_at, clock));
    view_put(&object, "ready_at", view_time(in_pool->ready_at, clock));
    view_put(&object, "idle_since", view_time(is_idle ? in_pool->idle_since : 0, clock));
    view_put(&object, "start_reason", reason_or_null(worker->start_reason));
    view_put(&object, "retire_reason", reason_or_null(worker->retire_reason));
    view_put(&object, "is_outdated", json_boolean(in_pool->is_outdated));
    return object;
}

json_t *view_connection(const struct connection *connection, const struct control_clock *clock)
{
    pid_t pid = connection_worker_pid(connection);
    uint64_t handed_at = connection_is_handed(connection) ? connection->handed_at : 0;
    char id[CONNECTION_ID_BYTES];
    json_t *object = json_object();

    view_put(&object, "id", json_string(connection_id_format(connection->id, id)));
    view_put(&object, "service", json_string(connection->service->options->name));
    view_put(&object, "state", json_string(connection_state_to_string(connection->state)));
    view_put(&object, "worker_pid", pid_or_null(pid));
    view_put(&object, "client", view_address(&connection->peer));
    view_put(&object, "local", view_address(&connection->local));
    view_put(&object, "is_tls", json_boolean(connection->is_tls));
    view_put(&object, "tls", view_tls(connection->tls));
    view_put(&object, "ident_user", view_text(connection->ident_user));
    view_put(&object, "queued_usec", view_count(connection->queued_usec));
    view_put(&object, "accepted_at", view_time(connection->accepted_at, clock));
    view_put(&object, "handed_at", view_time(handed_at, clock));
    return object;
}
