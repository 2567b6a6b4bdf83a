/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Methods that change something. The journal has each such command, and who gave it. */
#include "dispatcherd/config/config_version.h"
#include "dispatcherd/control/call.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/service/operations.h"
#include "dispatcherd/worker/cause.h"
#include "dispatcherd/worker/life.h"
#include "files/number.h"
#include "files/problem.h"
#include "generator/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void say(const struct control_call *call, const struct service *service, const char *what)
{
    const struct subject subject = {.service = service ? service->options->name : NULL};

    report(LOG_NOTICE, &subject, "%s requested by process %d of user %u", what,
           (int)call->caller->pid, (unsigned)call->caller->uid);
}

static json_t *stopping_error(void)
{
    return varlink_error(CONTROL_INTERFACE ".Stopping", json_object());
}

static json_t *failure(const char *reason)
{
    return varlink_error(CONTROL_INTERFACE ".OperationFailed",
                         json_pack("{s:o}", "reason", view_text(reason)));
}

/* The service that the call names; NULL if there is none. */
static struct service *named_service(const struct control_call *call, const char *name)
{
    size_t i = control_daemon_find(&call->daemon, name);

    /* One that is no longer in dispatcher.cnf only waits for its workers to end. */
    if (i == call->daemon.n_services || call->daemon.services[i]->is_going)
        return NULL;
    return call->daemon.services[i];
}

json_t *control_stop(const struct control_call *call)
{
    const char *name = control_call_text(call, "service");
    struct service *service = named_service(call, name);

    if (!service)
        return control_no_such_service(name);
    if (!service->pool->is_stopping)
        say(call, service, "stop");
    operation_stop(service);
    const struct pool *pool = service->pool;
    return varlink_reply(json_pack("{s:i}", "n_connections",
                                   (int)(pool_load(pool) + pool->n_waiting + pool->n_checking)));
}

json_t *control_start(const struct control_call *call)
{
    const char *name = control_call_text(call, "service");
    struct service *service = named_service(call, name);

    if (!service)
        return control_no_such_service(name);
    if (call->daemon.is_stopping)
        return stopping_error();
    if (service->pool->is_stopping)
        say(call, service, "start");
    int r = operation_start(service);
    return r < 0 ? failure(strerror(-r)) : varlink_reply(json_object());
}

static json_t *restart_all(const struct control_call *call)
{
    int n_workers = 0;

    say(call, NULL, "restart of all services");
    for (size_t i = 0; i < call->daemon.n_services; i++)
        if (!call->daemon.services[i]->pool->is_stopping)
            n_workers += (int)operation_restart(call->daemon.services[i]);
    return varlink_reply(json_pack("{s:i}", "n_workers", n_workers));
}

json_t *control_restart(const struct control_call *call)
{
    const char *name = control_call_text(call, "service");

    if (call->daemon.is_stopping)
        return stopping_error();
    if (!name)
        return restart_all(call);
    struct service *service = named_service(call, name);
    if (!service)
        return control_no_such_service(name);
    if (service->pool->is_stopping)
        return varlink_error(CONTROL_INTERFACE ".NotRunning",
                             json_pack("{s:s}", "service", service->options->name));
    say(call, service, "restart");
    return varlink_reply(json_pack("{s:i}", "n_workers", (int)operation_restart(service)));
}

static struct worker *find_worker(const struct control_call *call, const char *pid)
{
    for (size_t i = 0; i < call->daemon.n_services; i++)
        for (unsigned slot = 0; slot < POOL_WORKERS_MAX; slot++) {
            struct worker *worker = call->daemon.services[i]->workers[slot];
            char text[16];

            if (!worker || worker->is_child)
                continue;
            snprintf(text, sizeof(text), "%d", (int)worker->pid);
            if (strcmp(text, pid) == 0)
                return worker;
        }
    return NULL;
}

/* The worker of the service's unit whose process is not known, since it has ended or never said
 * hello. If there are several, the oldest for which no cause was reported yet. */
static struct worker *find_unknown_worker(const struct control_call *call, const char *unit)
{
    char prefix[64];

    for (size_t i = 0; i < call->daemon.n_services; i++) {
        struct service *service = call->daemon.services[i];

        snprintf(prefix, sizeof(prefix), "dispatcherd-%.32s-worker@", service->options->unit_name);
        if (strncmp(unit, prefix, strlen(prefix)) != 0)
            continue;
        struct worker *first = NULL;
        for (unsigned slot = 0; slot < POOL_WORKERS_MAX; slot++) {
            struct worker *worker = service->workers[slot];

            if (worker && !worker->is_child && worker->pid == 0 && !worker->cause[0] &&
                (!first ||
                 worker_in_pool(worker)->start_number < worker_in_pool(first)->start_number))
                first = worker;
        }
        return first;
    }
    return NULL;
}

json_t *control_worker_ended(const struct control_call *call)
{
    const struct worker_cause cause = {
        .result = control_call_text(call, "result"),
        .code = control_call_text(call, "code"),
        .status = control_call_text(call, "status"),
        .lines = control_call_text(call, "lines"),
    };
    const char *unit = control_call_text(call, "unit");
    struct worker *worker = find_worker(call, control_call_text(call, "pid"));

    if (!worker && unit)
        worker = find_unknown_worker(call, unit);
    if (worker)
        worker_take_cause(worker, &cause);
    return varlink_reply(json_object());
}

json_t *control_reload(const struct control_call *call)
{
    struct problem_list problems = {0};
    json_t *reply;

    if (!call->operations->reload)
        return varlink_error(CONTROL_INTERFACE ".NotSupported", json_object());
    if (call->daemon.is_stopping)
        return stopping_error();
    say(call, NULL, "reload");
    int r = call->operations->reload(call->userdata, &problems);
    if (r == 0)
        reply = varlink_reply(json_pack("{s:o}", "warnings", view_problems(&problems)));
    else if (problems.n_items > 0)
        reply = varlink_error(CONTROL_INTERFACE ".ReloadFailed",
                              json_pack("{s:o}", "problems", view_problems(&problems)));
    else
        reply = failure(strerror(-r));
    problem_list_clear(&problems);
    return reply;
}

json_t *control_plan(const struct control_call *call)
{
    struct problem_list problems = {0};
    struct config_version *version = NULL;
    struct unit_list units = {0};

    if (!call->operations->read_files || !call->daemon.version)
        return varlink_error(CONTROL_INTERFACE ".NotSupported", json_object());
    int r = call->operations->read_files(call->userdata, &version, &units, &problems);
    if (r < 0 && problems.n_errors == 0)
        problem_add(&problems, PROBLEM_ERROR, call->daemon.config_file, 0,
                    "cannot read the configuration: %s", strerror(-r));
    json_t *reply =
        varlink_reply(view_plan(&call->daemon, r == 0 ? version : NULL, &units, &problems));
    unit_list_clear(&units);
    config_version_unref(version);
    problem_list_clear(&problems);
    return reply;
}

/* Reads a mask in the form of dispatcher.cnf or of C: -1, 71, 16%47, 0x47. */
static int parse_mask(const char *text, uint32_t *ret)
{
    char reason[NUMBER_REASON_MAX];
    int64_t number;

    if (strncasecmp(text, "0x", 2) == 0)
        return number_parse_environment_mask(text, ret);
    if (number_parse(text, &number, reason) < 0 || number < INT32_MIN || number > UINT32_MAX)
        return -EINVAL;
    *ret = (uint32_t)number;
    return 0;
}

/* What to set: one mask for all services that are meant, or for each the mask of the configuration.
 */
struct debug_order {
    bool is_default;
    uint32_t mask;
};

static void set_service_debug(struct service *service, const struct debug_order *order)
{
    operation_set_debug(service, order->is_default ? service->configured_debug : order->mask);
}

static void set_daemon_debug(const struct control_call *call, const struct debug_order *order)
{
    const struct control_operations *operations = call->operations;

    if (operations->set_debug && operations->configured_debug)
        operations->set_debug(call->userdata, order->is_default
                                                  ? operations->configured_debug(call->userdata)
                                                  : order->mask);
}

/* The mask that is in force; null if they differ. */
static json_t *view_debug_mask(const struct control_call *call, const struct service *service,
                               bool is_daemon, const struct debug_order *order)
{
    if (!order->is_default)
        return json_integer(order->mask);
    if (service)
        return json_integer(service->options->debug);
    if (is_daemon && call->operations->configured_debug)
        return json_integer(call->operations->configured_debug(call->userdata));
    return json_null();
}

json_t *control_set_debug(const struct control_call *call)
{
    const char *name = control_call_text(call, "service");
    const char *mask = control_call_text(call, "mask");
    bool is_daemon = name && strcasecmp(name, "DISPATCHER") == 0;
    struct service *service = name && !is_daemon ? named_service(call, name) : NULL;
    struct debug_order order = {.is_default = strcasecmp(mask, "default") == 0};
    char what[64] = "DEBUG as configured";

    if (name && !is_daemon && !service)
        return control_no_such_service(name);
    if (!order.is_default && parse_mask(mask, &order.mask) < 0)
        return varlink_error(VARLINK_INVALID_PARAMETER, json_pack("{s:s}", "parameter", "mask"));
    if (!order.is_default)
        snprintf(what, sizeof(what), "DEBUG=16%%%" PRIX32 " until the next reload", order.mask);
    say(call, service, what);
    if (service)
        set_service_debug(service, &order);
    for (size_t i = 0; !name && i < call->daemon.n_services; i++)
        set_service_debug(call->daemon.services[i], &order);
    if (!service)
        set_daemon_debug(call, &order);
    json_t *parameters = json_object();
    view_put(&parameters, "mask", view_debug_mask(call, service, is_daemon, &order));
    view_put(&parameters, "is_configured", json_boolean(order.is_default));
    return varlink_reply(parameters);
}
