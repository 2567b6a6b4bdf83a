/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Every method of io.dispatcherd.Control, from the text of a call to the text of its reply. */
#include "base/macro.h"
#include "base/time.h"
#include "dispatcherd/control/cache.h"
#include "dispatcherd/control_scene.h"
#include "support/suite.h"
#include "varlink/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONTROL "io.dispatcherd.Control."

static const char configuration[] = "MAX_PROCS=100\n"
                                    "MAX_CONNS=50\n"
                                    "[SERVICE=SMTP]\n"
                                    "PORT=25\n"
                                    "IMAGE=smtp\n"
                                    "PARAMETER=PASSWORD=s\xe9"
                                    "cret\n"
                                    "[SERVICE=POP3]\n"
                                    "PORT=110\n"
                                    "IMAGE=pop3\n";

static const struct control_caller trusted = {.pid = 1, .uid = 0, .is_trusted = true};
static const struct control_caller stranger = {.pid = 2, .uid = 1000};

static struct control_scene scene;

static void setup(void)
{
    scene_init(&scene, configuration);
}

static void teardown(void)
{
    scene_clear(&scene);
}

/* Calls, and returns the whole reply. `parameters` passes on; NULL: none. */
static json_t *call(const struct control_caller *caller, const char *method, json_t *parameters)
{
    json_auto_t *message = varlink_method(method, parameters ? parameters : json_object());
    json_t *reply = NULL;
    size_t size;
    char *text = varlink_message_text(message, &size), *answer = NULL;

    ck_assert_int_eq(
        control_answer(&scene_operations, &scene, caller, NULL, text, size - 1, &answer, &size), 0);
    ck_assert_uint_eq(size, strlen(answer) + 1);
    ck_assert_int_eq(varlink_reply_parse(answer, size - 1, &reply), 0);
    free(text);
    free(answer);
    return reply;
}

/* The same where an error is to come; NULL: none. */
static void expect_error(const struct control_caller *caller, const char *method,
                         json_t *parameters, const char *error)
{
    json_auto_t *reply = call(caller, method, parameters);
    const char *found = json_string_value(json_object_get(reply, "error"));

    if (error)
        ck_assert_msg(found && strcmp(found, error) == 0, "%s: %s", method, found);
    else
        ck_assert_msg(!found, "%s: %s", method, found);
}

static json_t *get(const json_t *reply, const char *name)
{
    return json_object_get(json_object_get(reply, "parameters"), name);
}

static json_t *named(const char *service)
{
    return json_pack("{s:s}", "service", service);
}

START_TEST(test_describes_exactly_the_methods_that_it_has)
{
    struct control_method_info method;
    size_t n_methods = 0, n_described = 0;

    for (; control_method_info(n_methods, &method); n_methods++) {
        const char *last = strrchr(method.name, '.') + 1;
        bool is_control = strncmp(method.name, CONTROL, strlen(CONTROL)) == 0;
        char line[64];

        snprintf(line, sizeof(line), "\nmethod %s(", last);
        ck_assert_msg(
            strstr(is_control ? control_interface_description : varlink_service_description, line),
            "%s", method.name);
    }
    for (const char *at = control_interface_description; (at = strstr(at, "\nmethod ")); at++)
        n_described++;
    for (const char *at = varlink_service_description; (at = strstr(at, "\nmethod ")); at++)
        n_described++;
    ck_assert_uint_eq(n_described, n_methods);
}
END_TEST

START_TEST(test_gives_its_descriptions)
{
    static const struct {
        const char *interface;
        const char *description;
    } cases[] = {{"io.dispatcherd.Control", control_interface_description},
                 {"org.varlink.service", varlink_service_description}};

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        char first_line[80];
        json_auto_t *reply = call(&stranger, "org.varlink.service.GetInterfaceDescription",
                                  json_pack("{s:s}", "interface", cases[i].interface));
        const char *text = json_string_value(get(reply, "description"));

        snprintf(first_line, sizeof(first_line), "\ninterface %s\n", cases[i].interface);
        ck_assert_str_eq(text, cases[i].description);
        ck_assert_ptr_nonnull(strstr(text, first_line));
    }
    expect_error(&stranger, "org.varlink.service.GetInterfaceDescription",
                 json_pack("{s:s}", "interface", "a.b"), VARLINK_INTERFACE_NOT_FOUND);
    json_auto_t *info = call(&stranger, "org.varlink.service.GetInfo", NULL);
    ck_assert_uint_eq(json_array_size(get(info, "interfaces")), 2);
    ck_assert_str_eq(json_string_value(get(info, "version")), PACKAGE_VERSION);
}
END_TEST

static json_t *ended(const char *pid)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "pid", pid, "result", "signal", "code", "killed",
                     "status", "KILL");
}

static json_t *parameters_of(const char *method)
{
    if (strstr(method, "Reload"))
        return NULL;
    return strstr(method, "WorkerEnded") ? ended("1") : named("SMTP");
}

START_TEST(test_lets_strangers_look_and_nothing_else)
{
    static const char *const for_all[] = {"org.varlink.service.GetInfo",
                                          "org.varlink.service.GetInterfaceDescription",
                                          CONTROL "Status",
                                          CONTROL "Services",
                                          CONTROL "Workers",
                                          CONTROL "EndedWorkers"};
    static const char *const guarded[] = {
        CONTROL "Connections", CONTROL "EndedConnections", CONTROL "Stop",       CONTROL "Start",
        CONTROL "Restart",     CONTROL "Reload",           CONTROL "WorkerEnded"};
    static const char *const guarded_others[] = {CONTROL "Follow", CONTROL "SetDebug",
                                                 CONTROL "Plan", CONTROL "Explain",
                                                 CONTROL "Throttles"};
    struct control_method_info method;
    size_t n = 0;

    while (control_method_info(n, &method))
        n++;
    ck_assert_uint_eq(n, ELEMENTSOF(for_all) + ELEMENTSOF(guarded) + ELEMENTSOF(guarded_others));
    for (size_t i = 0; i < ELEMENTSOF(guarded_others); i++)
        expect_error(&stranger, guarded_others[i], json_pack("{s:s}", "mask", "1"),
                     CONTROL "PermissionDenied");
    for (size_t i = 0; i < ELEMENTSOF(guarded); i++) {
        json_t *parameters = parameters_of(guarded[i]);

        expect_error(&stranger, guarded[i], parameters, CONTROL "PermissionDenied");
    }
    ck_assert(!scene.services[0]->pool->is_stopping);
    ck_assert_uint_eq(scene.n_reloads, 0);
    for (size_t i = 2; i < ELEMENTSOF(for_all); i++)
        expect_error(&stranger, for_all[i], NULL, NULL);
    for (size_t i = 0; i < ELEMENTSOF(guarded); i++) {
        json_t *parameters = parameters_of(guarded[i]);

        expect_error(&trusted, guarded[i], parameters, NULL);
    }
}
END_TEST

START_TEST(test_names_the_group_that_may)
{
    json_auto_t *reply = call(&stranger, CONTROL "Connections", NULL);

    ck_assert_str_eq(json_string_value(get(reply, "group")), DISPATCHER_USER);
}
END_TEST

START_TEST(test_refuses_bad_parameters_by_name)
{
    static const struct {
        const char *method;
        const char *parameters;
        const char *bad;
    } cases[] = {
        {CONTROL "Status", "{\"x\":1}", "x"},
        {CONTROL "Stop", "{}", "service"},
        {CONTROL "Stop", "{\"service\":null}", "service"},
        {CONTROL "Stop", "{\"service\":[]}", "service"},
        {CONTROL "Stop", "{\"service\":\"SMTP\",\"now\":true}", "now"},
        {CONTROL "Restart", "{\"service\":25}", "service"},
        {CONTROL "Workers", "{\"after\":\"SMTP\"}", "after"},
        {CONTROL "Workers", "{\"after\":\"SMTP/\"}", "after"},
        {CONTROL "Workers", "{\"after\":\"SMTP/x\"}", "after"},
        {CONTROL "Workers", "{\"after\":\"SMTP/-1\"}", "after"},
        {CONTROL "Workers", "{\"after\":\"SMTP/1537\"}", "after"},
        {CONTROL "Workers", "{\"after\":\"IMAP/0\"}", "after"},
        {CONTROL "Workers", "{\"after\":\"SMTP/0/0\"}", "after"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        json_t *parameters = json_loads(cases[i].parameters, 0, NULL);
        json_auto_t *reply = call(&trusted, cases[i].method, parameters);
        const char *bad = json_string_value(get(reply, "parameter"));

        ck_assert_str_eq(json_string_value(json_object_get(reply, "error")),
                         VARLINK_INVALID_PARAMETER);
        ck_assert_msg(bad && strcmp(bad, cases[i].bad) == 0, "%s", cases[i].parameters);
    }
    expect_error(&trusted, CONTROL "status", NULL, VARLINK_METHOD_NOT_FOUND);
    expect_error(&trusted, "x", NULL, VARLINK_METHOD_NOT_FOUND);
}
END_TEST

START_TEST(test_answers_a_oneway_call_with_nothing)
{
    static const char text[] =
        "{\"method\":\"" CONTROL "Stop\",\"parameters\":{\"service\":\"SMTP\"},\"oneway\":true}";
    char *answer = (char *)text;
    size_t size;

    ck_assert_int_eq(control_answer(&scene_operations, &scene, &trusted, NULL, text, strlen(text),
                                    &answer, &size),
                     0);
    ck_assert_ptr_null(answer);
    ck_assert(scene.services[0]->pool->is_stopping);
}
END_TEST

/* Figures of strangers may be a moment old, those of others not. On a busy machine two calls may be
 * too far from each other to be told anything. */
START_TEST(test_keeps_replies_for_strangers)
{
    struct control_cache cache = {0};
    const struct control_caller caller = {.pid = 2, .uid = 1000, .cache = &cache};
    bool was_quick = false;

    for (int i = 0; !was_quick && i < 20; i++) {
        scene.is_stopping = false;
        json_auto_t *first = call(&caller, CONTROL "Status", NULL);
        uint64_t from = time_now_usec(CLOCK_MONOTONIC);
        scene.is_stopping = true;
        json_auto_t *second = call(&caller, CONTROL "Status", json_object());
        json_auto_t *fresh = call(&trusted, CONTROL "Status", NULL);
        was_quick = time_now_usec(CLOCK_MONOTONIC) - from < CONTROL_CACHE_AGE_MIN_USEC / 2;
        if (was_quick) {
            ck_assert(json_equal(first, second));
            ck_assert_str_eq(json_string_value(get(fresh, "state")), "stopping");
        }
        control_cache_clear(&cache);
    }
    ck_assert(was_quick);
    /* What needs trust is refused, and not kept for the others; parameters tell calls apart. */
    expect_error(&caller, CONTROL "Stop", named("SMTP"), CONTROL "PermissionDenied");
    expect_error(&caller, CONTROL "Workers", named("SMTP"), NULL);
    expect_error(&caller, CONTROL "Workers", named("IMAP"), CONTROL "NoSuchService");
    control_cache_clear(&cache);
}
END_TEST

START_TEST(test_shows_gauges_beside_their_limits)
{
    struct worker *worker = scene_add_worker(&scene, 0, 0, 4711);
    int value, limit;

    scene_add_connection(&scene, 0, worker);
    scene_add_connection(&scene, 0, NULL);
    json_auto_t *reply = call(&stranger, CONTROL "Status", NULL);
    json_t *smtp = json_array_get(get(reply, "services"), 0);
    ck_assert_int_eq(
        json_unpack(smtp, "{s:{s:i, s:i}}", "workers", "value", &value, "limit", &limit), 0);
    ck_assert_int_eq(value, 1);
    ck_assert_int_eq(limit, 100);
    ck_assert_int_eq(
        json_unpack(smtp, "{s:{s:i, s:i}}", "active", "value", &value, "limit", &limit), 0);
    ck_assert_int_eq(value, 1);
    ck_assert_int_eq(limit, 5000);
    ck_assert_int_eq(
        json_unpack(smtp, "{s:{s:i, s:i}}", "waiting", "value", &value, "limit", &limit), 0);
    ck_assert_int_eq(value, 1);
    ck_assert_int_eq(limit, 4999);
}
END_TEST

START_TEST(test_shows_parameter_to_the_trusted_alone)
{
    json_auto_t *hidden = call(&stranger, CONTROL "Services", NULL);
    json_auto_t *shown = call(&trusted, CONTROL "Services", NULL);
    const json_t *options = json_object_get(json_array_get(get(hidden, "services"), 0), "options");

    ck_assert_int_eq(json_integer_value(json_object_get(options, "MAX_CONNS")), 50);
    ck_assert_ptr_null(json_object_get(options, "PARAMETER"));
    options = json_object_get(json_array_get(get(shown, "services"), 0), "options");
    /* It is Latin-1, which JSON cannot hold. */
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(options, "PARAMETER"), 0)),
                     "PASSWORD=s?cret");
}
END_TEST

START_TEST(test_shows_a_worker_and_its_connection)
{
    struct worker *worker = scene_add_worker(&scene, 1, 3, 4711);
    struct connection *connection = scene_add_connection(&scene, 1, worker);
    char id[17];

    json_auto_t *workers = call(&stranger, CONTROL "Workers", named("pop3"));
    ck_assert_uint_eq(json_array_size(get(workers, "workers")), 1);
    const json_t *item = json_array_get(get(workers, "workers"), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(item, "slot")), 3);
    ck_assert_int_eq(json_integer_value(json_object_get(item, "pid")), 4711);
    ck_assert_str_eq(json_string_value(json_object_get(item, "state")), "ready");
    ck_assert(json_is_null(json_object_get(item, "idle_since")));
    ck_assert(json_is_null(get(workers, "next")));

    json_auto_t *connections = call(&trusted, CONTROL "Connections", named("POP3"));
    item = json_array_get(get(connections, "connections"), 0);
    snprintf(id, sizeof(id), "%016lx", (unsigned long)connection->id);
    ck_assert_str_eq(json_string_value(json_object_get(item, "id")), id);
    ck_assert_str_eq(json_string_value(json_object_get(item, "state")), "active");
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(item, "client"), "address")),
                     "192.0.2.7");
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(item, "local"), "port")),
                     25);
}
END_TEST

/* Follows `next` to the end. Returns how many there were, in how many parts. */
static size_t count_connections(const char *service, unsigned *ret_n_parts)
{
    char after[64] = "";
    size_t n = 0;

    for (*ret_n_parts = 0;; (*ret_n_parts)++) {
        json_auto_t *reply =
            call(&trusted, CONTROL "Connections",
                 json_pack("{s:s*, s:s*}", "service", service, "after", after[0] ? after : NULL));
        const json_t *next = get(reply, "next");

        ck_assert_uint_le(json_array_size(get(reply, "connections")), 1050);
        n += json_array_size(get(reply, "connections"));
        if (json_is_null(next))
            break;
        strcpy(after, json_string_value(next));
    }
    return n;
}

START_TEST(test_gives_long_lists_in_parts)
{
    unsigned n_parts;

    for (size_t service = 0; service < 2; service++)
        for (unsigned slot = 0; slot < 50; slot++) {
            struct worker *worker = scene_add_worker(&scene, service, slot, 1000 + (int)slot);

            for (unsigned i = 0; i < 50; i++)
                scene_add_connection(&scene, service, worker);
        }
    scene_add_connection(&scene, 1, NULL);
    ck_assert_uint_eq(count_connections(NULL, &n_parts), 5001);
    ck_assert_uint_eq(n_parts, 50);
    ck_assert_uint_eq(count_connections("POP3", &n_parts), 2501);
    ck_assert_uint_eq(n_parts, 25);
}
END_TEST

START_TEST(test_stops_and_starts_a_service)
{
    struct worker *worker = scene_add_worker(&scene, 0, 0, 4711);
    struct pool *pool = scene.services[0]->pool;

    scene_add_connection(&scene, 0, worker);
    json_auto_t *reply = call(&trusted, CONTROL "Stop", named("smtp"));
    ck_assert_int_eq(json_integer_value(get(reply, "n_connections")), 1);
    ck_assert(pool->is_stopping);
    expect_error(&trusted, CONTROL "Restart", named("smtp"), CONTROL "NotRunning");
    expect_error(&trusted, CONTROL "Stop", named("smtp"), NULL);
    expect_error(&trusted, CONTROL "Start", named("smtp"), NULL);
    ck_assert(!pool->is_stopping);
    expect_error(&trusted, CONTROL "Start", named("imap"), CONTROL "NoSuchService");
    scene.is_stopping = true;
    expect_error(&trusted, CONTROL "Start", named("smtp"), CONTROL "Stopping");
    expect_error(&trusted, CONTROL "Reload", NULL, CONTROL "Stopping");
}
END_TEST

START_TEST(test_restarts_one_service_or_all_that_run)
{
    scene_add_worker(&scene, 0, 0, 4711);
    scene_add_worker(&scene, 1, 0, 4712);
    scene_add_worker(&scene, 1, 1, 4713);
    json_auto_t *one = call(&trusted, CONTROL "Restart", named("SMTP"));
    ck_assert_int_eq(json_integer_value(get(one, "n_workers")), 1);
    ck_assert(scene.services[0]->pool->workers[0].is_outdated);
    ck_assert(!scene.services[1]->pool->workers[0].is_outdated);
    expect_error(&trusted, CONTROL "Stop", named("SMTP"), NULL);
    json_auto_t *all = call(&trusted, CONTROL "Restart", NULL);
    ck_assert_int_eq(json_integer_value(get(all, "n_workers")), 2);
}
END_TEST

START_TEST(test_takes_no_orders_for_a_service_that_is_going)
{
    scene.services[0]->is_going = true;
    expect_error(&trusted, CONTROL "Start", named("SMTP"), CONTROL "NoSuchService");
    expect_error(&trusted, CONTROL "Workers", named("SMTP"), NULL);
}
END_TEST

START_TEST(test_reloads_and_tells_the_problems)
{
    json_auto_t *done = call(&trusted, CONTROL "Reload", NULL);
    ck_assert_uint_eq(json_array_size(get(done, "warnings")), 1);
    scene.is_reload_refused = true;
    json_auto_t *refused = call(&trusted, CONTROL "Reload", NULL);
    ck_assert_str_eq(json_string_value(json_object_get(refused, "error")), CONTROL "ReloadFailed");
    ck_assert_str_eq(json_string_value(json_array_get(get(refused, "problems"), 1)),
                     "dispatcher.cnf:2: error: wrong");
}
END_TEST

START_TEST(test_names_the_state_of_a_service)
{
    static const struct {
        bool is_stopping, is_full, has_worker;
        const char *state;
    } cases[] = {
        {false, false, false, "running"},
        {false, true, true, "full"},
        {true, false, true, "stopping"},
        {true, true, false, "stopped"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        scene_clear(&scene);
        scene_init(&scene, configuration);
        scene.services[0]->alerts.of[SERVICE_ALERT_FULL].is_raised = cases[i].is_full;
        scene.services[0]->pool->is_stopping = cases[i].is_stopping;
        if (cases[i].has_worker)
            scene_add_worker(&scene, 0, 0, 1);
        json_auto_t *reply = call(&stranger, CONTROL "Status", NULL);
        ck_assert_str_eq(
            json_string_value(json_object_get(json_array_get(get(reply, "services"), 0), "state")),
            cases[i].state);
    }
}
END_TEST

SUITE("control_methods", setup, teardown, test_describes_exactly_the_methods_that_it_has,
      test_gives_its_descriptions, test_lets_strangers_look_and_nothing_else,
      test_names_the_group_that_may, test_refuses_bad_parameters_by_name,
      test_answers_a_oneway_call_with_nothing, test_keeps_replies_for_strangers,
      test_shows_gauges_beside_their_limits, test_shows_parameter_to_the_trusted_alone,
      test_shows_a_worker_and_its_connection, test_gives_long_lists_in_parts,
      test_stops_and_starts_a_service, test_restarts_one_service_or_all_that_run,
      test_takes_no_orders_for_a_service_that_is_going, test_reloads_and_tells_the_problems,
      test_names_the_state_of_a_service)
