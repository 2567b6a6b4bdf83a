/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/plan/plan.h"

#include "control_client/client.h"
#include "control_client/reply.h"
#include "dispatcherctl/plan/offline_plan.h"
#include "dispatcherctl/query/query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define DEFAULT_CONFIG CONFIG_DIR "/dispatcher.cnf"

/* Whether the daemon is a unit that is stopped, rather than a process at some other socket. */
static bool is_stopped_unit(const struct request *request)
{
    struct client client = {.fd = -1};

    if (strcmp(request->socket, DEFAULT_SOCKET) != 0 || sd_booted() <= 0)
        return false;
    int r = client_open(request->socket, request->limit_usec, &client);
    client_close(&client);
    return r == -ENOENT || r == -ECONNREFUSED;
}

/* Of the commands that the daemon reports as due, those that no change of the files explains. */
static json_t *due_of(const json_t *status, bool *ret_needs_restart, bool *ret_needs_reload)
{
    json_t *array = json_array();
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(status, "due"), i, item) {
        *ret_needs_restart |= reply_is_true(item, "needs_restart");
        *ret_needs_reload = true;
        if (array && json_array_append(array, (json_t *)item) < 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

static bool has_changes(const json_t *object)
{
    const json_t *service;
    size_t i;

    if (json_array_size(json_object_get(object, "options")) > 0 ||
        reply_is_true(object, "has_new_mappings"))
        return true;
    json_array_foreach(json_object_get(object, "services"), i, service)
        if (strcmp(reply_text(service, "change"), "kept") != 0 ||
            reply_number(service, "n_workers") > 0)
            return true;
    return false;
}

static int make_unit_plan(struct plan *plan, const struct request *request, const json_t *services)
{
    const struct unit_plan_input input = {
        .config_file = reply_text(plan->object, "config_file"),
        .services = services,
        .limit_usec = request->limit_usec,
    };

    int r = unit_plan_make(&input, &plan->units);
    if (r < 0)
        fprintf(stderr, "dispatcherctl: cannot look at the units of systemd: %s\n", strerror(-r));
    return r;
}

/* Puts the parts together, and takes over the references in `due`. */
static int compose(struct plan *plan, json_t *due)
{
    const struct unit_plan *units = &plan->units;

    return json_object_update_new(
        plan->object,
        json_pack("{s:b, s:o, s:o?, s:o?, s:o?, s:b, s:b, s:b}", "is_running", plan->is_running,
                  "due", due, "sockets",
                  units->sockets ? json_incref(units->sockets) : json_array(), "drop_ins",
                  units->drop_ins ? json_incref(units->drop_ins) : json_array(), "in_the_way",
                  units->in_the_way ? json_incref(units->in_the_way) : json_array(),
                  "needs_daemon_reload", units->needs_daemon_reload, "needs_restart",
                  units->needs_restart, "needs_reload", plan->needs_reload));
}

/* Makes the plan with a daemon that runs. */
static int make_online(const struct request *request, struct plan *plan)
{
    json_auto_t *status = NULL, *services = NULL;
    bool needs_restart = false;

    int r = query(request, "Status", NULL, &status);
    if (r == 0)
        r = query(request, "Services", NULL, &services);
    if (r == 0)
        r = query(request, "Plan", NULL, &plan->object);
    if (r < 0)
        return r;
    plan->is_running = true;
    plan->is_usable = reply_is_true(plan->object, "is_usable");
    plan->has_units = strcmp(reply_text(status, "spawner"), "unit") == 0 &&
                      strcmp(reply_text(status, "config_file"), DEFAULT_CONFIG) == 0;
    plan->needs_reload = has_changes(plan->object);
    json_t *due = due_of(status, &needs_restart, &plan->needs_reload);
    if (plan->is_usable && plan->has_units)
        r = make_unit_plan(plan, request, json_object_get(services, "services"));
    plan->units.needs_restart |= needs_restart;
    return r < 0 ? r : compose(plan, due);
}

/* Makes the plan without a daemon: it has to be started, and will read the files then. */
static int make_offline(const struct request *request, struct plan *plan)
{
    int r = offline_plan(DEFAULT_CONFIG, CONFIG_DIR "/mappings", &plan->object);

    if (r < 0)
        return r;
    plan->has_units = true;
    plan->is_usable = reply_is_true(plan->object, "is_usable");
    if (plan->is_usable)
        r = make_unit_plan(plan, request, NULL);
    plan->units.needs_restart = true;
    return r < 0 ? r : compose(plan, json_array());
}

int plan_make(const struct request *request, struct plan *ret)
{
    struct plan plan = {0};
    int r = is_stopped_unit(request) ? make_offline(request, &plan) : make_online(request, &plan);

    if (r < 0)
        plan_clear(&plan);
    else
        *ret = plan;
    return r;
}

bool plan_is_empty(const struct plan *plan)
{
    return plan->is_usable && !plan->needs_reload && !plan->units.needs_restart &&
           !plan->units.needs_daemon_reload;
}

bool plan_is_obstructed(const struct plan *plan)
{
    return json_array_size(plan->units.in_the_way) > 0;
}

void plan_clear(struct plan *plan)
{
    json_decref(plan->object);
    unit_plan_clear(&plan->units);
    *plan = (struct plan){0};
}

static int print(const struct plan *plan)
{
    plan_print_problems(plan->object, stdout);
    if (!plan->is_usable) {
        puts("the files have errors; what is in force stays");
        return 0;
    }
    int r = plan_print_changes(plan->object, false, stdout);
    plan_print_notes(plan->object, stdout);
    plan_print_obstacles(plan->object, stdout);
    if (plan_is_empty(plan))
        puts("nothing to do: the files are in force");
    else if (!plan_is_obstructed(plan))
        puts("to do it: dispatcherctl apply");
    return r;
}

int plan_run(const struct request *request)
{
    struct plan plan = {0};

    if (plan_make(request, &plan) < 0)
        return EXIT_FAILURE;
    int status = query_exit_status(request->is_json ? query_print_json(plan.object) : print(&plan));
    if (!plan.is_usable || plan_is_obstructed(&plan))
        status = EXIT_FAILURE;
    plan_clear(&plan);
    return status;
}
