/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control/methods.h"

#include "base/time.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/config/config_version.h"
#include "dispatcherd/control/cache.h"
#include "dispatcherd/control/call.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/report/report.h"
#include "protocol/debug.h"
#include "varlink/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVICE_INTERFACE "org.varlink.service"

/* Longer replies are not sent, since they stay in memory until the client has read them. All about
 * 256 services with options of usual length takes a fifth of this. */
#define REPLY_MAX_BYTES (4 * 1024 * 1024)

#define PARAMETERS_MAX 6

static json_t *get_info(const struct control_call *call);
static json_t *get_interface_description(const struct control_call *call);
static json_t *status(const struct control_call *call);
static json_t *services(const struct control_call *call);

enum permission {
    FOR_ALL,
    FOR_TRUSTED,
};

enum presence {
    OPTIONAL,
    REQUIRED,
};

/* So far, every parameter of every method is a text. */
static const struct method {
    const char *name;
    enum permission permission;
    control_function run;
    struct parameter {
        const char *name; /* NULL: end of the table */
        enum presence presence;
    } parameters[PARAMETERS_MAX];
} methods[] = {
    {SERVICE_INTERFACE ".GetInfo", FOR_ALL, get_info, {{0}}},
    {SERVICE_INTERFACE ".GetInterfaceDescription",
     FOR_ALL,
     get_interface_description,
     {{"interface", REQUIRED}}},
    {CONTROL_INTERFACE ".Status", FOR_ALL, status, {{0}}},
    {CONTROL_INTERFACE ".Services", FOR_ALL, services, {{0}}},
    {CONTROL_INTERFACE ".Workers",
     FOR_ALL,
     control_workers,
     {{"service", OPTIONAL}, {"after", OPTIONAL}}},
    {CONTROL_INTERFACE ".Connections",
     FOR_TRUSTED,
     control_connections,
     {{"service", OPTIONAL}, {"after", OPTIONAL}}},
    {CONTROL_INTERFACE ".Throttles", FOR_TRUSTED, control_throttles, {{0}}},
    {CONTROL_INTERFACE ".EndedConnections",
     FOR_TRUSTED,
     control_ended_connections,
     {{"service", OPTIONAL}, {"after", OPTIONAL}}},
    {CONTROL_INTERFACE ".EndedWorkers",
     FOR_ALL,
     control_ended_workers,
     {{"service", OPTIONAL}, {"after", OPTIONAL}}},
    {CONTROL_INTERFACE ".Explain",
     FOR_TRUSTED,
     control_explain,
     {{"address", REQUIRED}, {"service", OPTIONAL}}},
    {CONTROL_INTERFACE ".Plan", FOR_TRUSTED, control_plan, {{0}}},
    {CONTROL_INTERFACE ".Follow", FOR_TRUSTED, control_follow, {{"service", OPTIONAL}}},
    {CONTROL_INTERFACE ".Stop", FOR_TRUSTED, control_stop, {{"service", REQUIRED}}},
    {CONTROL_INTERFACE ".Start", FOR_TRUSTED, control_start, {{"service", REQUIRED}}},
    {CONTROL_INTERFACE ".Restart", FOR_TRUSTED, control_restart, {{"service", OPTIONAL}}},
    {CONTROL_INTERFACE ".Reload", FOR_TRUSTED, control_reload, {{0}}},
    {CONTROL_INTERFACE ".WorkerEnded",
     FOR_TRUSTED,
     control_worker_ended,
     {{"pid", REQUIRED},
      {"result", REQUIRED},
      {"code", REQUIRED},
      {"status", REQUIRED},
      {"unit", OPTIONAL},
      {"lines", OPTIONAL}}},
    {CONTROL_INTERFACE ".SetDebug",
     FOR_TRUSTED,
     control_set_debug,
     {{"service", OPTIONAL}, {"mask", REQUIRED}}},
};

bool control_method_info(size_t i, struct control_method_info *ret)
{
    if (i >= ELEMENTSOF(methods))
        return false;
    *ret = (struct control_method_info){
        .name = methods[i].name,
        .needs_trust = methods[i].permission == FOR_TRUSTED,
    };
    return true;
}

/* org.varlink.service */

static json_t *get_info(_unused_ const struct control_call *call)
{
    return varlink_reply(json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor", "dispatcherd",
                                   "product", "dispatcherd", "version", PACKAGE_VERSION, "url", "",
                                   "interfaces", SERVICE_INTERFACE, CONTROL_INTERFACE));
}

static json_t *get_interface_description(const struct control_call *call)
{
    const char *interface = control_call_text(call, "interface");
    const char *description = NULL;

    if (strcmp(interface, CONTROL_INTERFACE) == 0)
        description = control_interface_description;
    else if (strcmp(interface, SERVICE_INTERFACE) == 0)
        description = varlink_service_description;
    if (!description)
        return varlink_error(VARLINK_INTERFACE_NOT_FOUND,
                             json_pack("{s:s}", "interface", interface));
    return varlink_reply(json_pack("{s:s}", "description", description));
}

/* What everybody may see */

/* A hash of what is in force; NULL: not known. */
static const char *version_text(const struct control_daemon *daemon, bool is_of_config)
{
    const struct config_version *version = daemon->version;
    const char *text = !version ? "" : is_of_config ? version->config_hash : version->mapping_hash;

    return text[0] ? text : NULL;
}

static json_t *status(const struct control_call *call)
{
    const struct control_daemon *daemon = &call->daemon;
    json_t *list = json_array();
    json_t *object = json_object();

    for (size_t i = 0; i < daemon->n_services; i++)
        view_append(&list, view_summary(daemon->services[i], &call->clock));
    view_put(&object, "version", json_string(PACKAGE_VERSION));
    view_put(&object, "pid", json_integer(getpid()));
    view_put(&object, "state", json_string(daemon->state));
    view_put(&object, "config_file", view_text(daemon->config_file));
    view_put(&object, "config_hash", view_optional(version_text(daemon, true)));
    view_put(&object, "mapping_hash", view_optional(version_text(daemon, false)));
    view_put(&object, "is_on_last_config", json_boolean(daemon->is_on_last_config));
    view_put(&object, "spawner", json_string(daemon->spawner));
    view_put(&object, "started_at", view_time(daemon->started_at, &call->clock));
    view_put(&object, "now", view_time(call->clock.monotonic, &call->clock));
    view_put(&object, "alerts", view_alerts(daemon, &call->clock));
    view_put(&object, "due", view_due(daemon->due));
    view_put(&object, "due_command", view_due_command(daemon->due));
    view_put(&object, "services", list);
    view_put(&object, "dns_lists",
             view_dns_lists(daemon->admission ? daemon->admission->lists : NULL, &call->clock));
    view_put(&object, "fleet",
             view_fleet(daemon->admission ? daemon->admission->fleet : NULL, &call->clock));
    return varlink_reply(object);
}

static json_t *services(const struct control_call *call)
{
    json_t *list = json_array();
    json_t *object = json_object();

    for (size_t i = 0; i < call->daemon.n_services; i++)
        view_append(&list,
                    view_service(call->daemon.services[i], call->caller->is_trusted, &call->clock));
    view_put(&object, "now", view_time(call->clock.monotonic, &call->clock));
    view_put(&object, "debug", json_integer(call->daemon.debug));
    view_put(&object, "services", list);
    return varlink_reply(object);
}

/* From the text of the call to the text of the reply */

const char control_out_of_memory[] =
    "{\"error\":\"" CONTROL_INTERFACE ".OutOfMemory\",\"parameters\":{}}";

static const struct method *find_method(const char *name)
{
    for (size_t i = 0; i < ELEMENTSOF(methods); i++)
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

static bool is_known(const struct method *method, const char *name)
{
    for (size_t i = 0; i < PARAMETERS_MAX && method->parameters[i].name; i++)
        if (strcmp(method->parameters[i].name, name) == 0)
            return true;
    return false;
}

/* The first parameter that is invalid, missing, or unknown; NULL: all are good. */
static const char *find_bad_parameter(const struct method *method, json_t *parameters)
{
    const char *name;
    json_t *value;

    json_object_foreach(parameters, name, value)
        if (!is_known(method, name) || (!json_is_string(value) && !json_is_null(value)))
            return name;
    for (size_t i = 0; i < PARAMETERS_MAX && method->parameters[i].name; i++) {
        const struct parameter *parameter = &method->parameters[i];

        if (parameter->presence == REQUIRED &&
            !json_is_string(json_object_get(parameters, parameter->name)))
            return parameter->name;
    }
    return NULL;
}

static json_t *run(const struct varlink_call *message, struct control_call *call)
{
    const struct method *method = find_method(message->method);

    if (!method)
        return varlink_error(VARLINK_METHOD_NOT_FOUND,
                             json_pack("{s:s}", "method", message->method));
    if (method->permission == FOR_TRUSTED && !call->caller->is_trusted)
        return varlink_error(CONTROL_INTERFACE ".PermissionDenied",
                             json_pack("{s:s}", "group", DISPATCHER_USER));
    const char *bad =
        message->wants_upgrade ? "upgrade" : find_bad_parameter(method, message->parameters);
    if (bad)
        return varlink_error(VARLINK_INVALID_PARAMETER, json_pack("{s:s}", "parameter", bad));
    call->parameters = message->parameters;
    call->operations->describe(call->userdata, &call->daemon);
    call->clock = control_clock_now();
    report_debug(call->daemon.debug, DEBUG_MISCELLANEOUS, &(struct subject){0},
                 "%s is called by process %d of user %u", method->name, (int)call->caller->pid,
                 (unsigned)call->caller->uid);
    return method->run(call);
}

static char *reply_text(const json_t *reply, size_t *ret_size)
{
    char *text = varlink_message_text(reply, ret_size);

    if (!text || *ret_size <= REPLY_MAX_BYTES)
        return text;
    free(text);
    json_auto_t *error = varlink_error(CONTROL_INTERFACE ".ReplyTooLong", json_object());
    return varlink_message_text(error, ret_size);
}

/* The key under which a reply may be cached; false if it must be made anew. Replies that need trust
 * are never cached, so that one reply serves all callers. */
static bool cache_key(const struct varlink_call *message, const struct control_caller *caller,
                      char ret[CONTROL_CACHE_KEY_MAX])
{
    const struct method *method = find_method(message->method);

    if (!caller->cache || !method || method->permission != FOR_ALL || message->is_oneway ||
        message->wants_upgrade)
        return false;
    size_t length = strlen(method->name), room = CONTROL_CACHE_KEY_MAX - 1 - length;
    memcpy(ret, method->name, length);
    size_t size = message->parameters ? json_dumpb(message->parameters, ret + length, room,
                                                   JSON_COMPACT | JSON_SORT_KEYS)
                                      : 0;
    if (size > room || (message->parameters && size == 0))
        return false;
    ret[length + size] = '\0';
    return true;
}

static int answer(const struct varlink_call *message, struct control_call *call, char **ret,
                  size_t *ret_size)
{
    json_auto_t *reply = run(message, call);

    *ret = NULL;
    if (message->is_oneway)
        return 0;
    *ret = reply ? reply_text(reply, ret_size) : NULL;
    if (!varlink_memory_was_short() && *ret)
        return 0;
    free(STEAL(*ret));
    if (call->follower)
        events_leave(call->follower);
    return -ENOMEM;
}

static int answer_from_cache(const struct varlink_call *message, struct control_call *call,
                             char **ret, size_t *ret_size)
{
    struct control_cache *cache = call->caller->cache;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    char key[CONTROL_CACHE_KEY_MAX];

    bool may_keep = cache_key(message, call->caller, key) && !varlink_memory_was_short();
    if (may_keep && control_cache_find(cache, key, now, ret, ret_size))
        return 0;
    uint64_t from = time_now_usec(CLOCK_THREAD_CPUTIME_ID);
    int r = answer(message, call, ret, ret_size);
    uint64_t cost = time_now_usec(CLOCK_THREAD_CPUTIME_ID) - from;
    if (r == 0 && may_keep)
        control_cache_keep(cache, key, *ret, *ret_size, cost, now);
    return r;
}

int control_answer(const struct control_operations *operations, void *userdata,
                   const struct control_caller *caller, struct follower *follower, const char *text,
                   size_t length, char **ret, size_t *ret_size)
{
    struct control_call call = {
        .operations = operations,
        .userdata = userdata,
        .caller = caller,
    };
    struct varlink_call message;

    int r = varlink_call_parse(text, length, &message);
    if (varlink_memory_was_short()) {
        /* What it seems to ask for may not be what is meant. */
        if (r == 0)
            varlink_call_clear(&message);
        return -ENOMEM;
    }
    if (r < 0)
        return r;
    call.follower = message.wants_more && !message.is_oneway ? follower : NULL;
    r = answer_from_cache(&message, &call, ret, ret_size);
    varlink_call_clear(&message);
    return r;
}
