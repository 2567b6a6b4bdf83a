/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/fd.h"
#include "base/macro.h"
#include "base/time.h"
#include "control_client/reply.h"
#include "dispatcherctl/arguments.h"
#include "dispatcherctl/bridge.h"
#include "dispatcherctl/events.h"
#include "dispatcherctl/hosts/clients.h"
#include "dispatcherctl/hosts/hosts.h"
#include "dispatcherctl/import_command.h"
#include "dispatcherctl/plan/plan.h"
#include "dispatcherctl/query/query.h"
#include "dispatcherctl/top.h"
#include "dispatcherctl/verbs.h"
#include "dispatcherctl/views/style.h"
#include "dispatcherctl/views/views.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-login.h>
#include <unistd.h>

enum {
    EXIT_USAGE = 2,
};

static int run_simple(const struct verb *verb, const struct request *request);
static int run_history(const struct verb *verb, const struct request *request);
static int run_debug(const struct verb *verb, const struct request *request);
static int run_clients(const struct verb *verb, const struct request *request);
static int run_events(const struct verb *verb, const struct request *request);
static int run_top(const struct verb *verb, const struct request *request);
static int run_plan(const struct verb *verb, const struct request *request);
static int run_apply(const struct verb *verb, const struct request *request);
static int run_bridge(const struct verb *verb, const struct request *request);

static const struct verb verbs[] = {
    {"status", NO_SERVICE, NO_LIST, run_simple, "Status", NULL, view_status, ANSWER_LIMIT_SEC,
     "the daemon and its services at a glance"},
    {"services", NO_SERVICE, NO_LIST, run_simple, "Services", NULL, view_services, ANSWER_LIMIT_SEC,
     "services: gauges, counters, statistics, addresses"},
    {"workers", MAY_SERVICE, NO_LIST, run_simple, "Workers", "workers", view_workers,
     ANSWER_LIMIT_SEC, "worker processes, and why they were started"},
    {"connections", MAY_SERVICE, LIST_OF_CONNECTIONS, run_simple, "Connections", "connections",
     view_connections, ANSWER_LIMIT_SEC, "connections, and the workers that serve them *"},
    {"history", MAY_SERVICE, LIST_OF_ENDED, run_history, NULL, NULL, view_history, ANSWER_LIMIT_SEC,
     "ended connections and workers, kept for HISTORICAL_TIME *"},
    {"clients", MAY_SERVICE, NO_LIST, run_clients, NULL, NULL, NULL, ANSWER_LIMIT_SEC,
     "addresses with the most connections, sessions, rejections *"},
    {"explain", ADDRESS, NO_LIST, run_simple, "Explain", NULL, view_explain, ANSWER_LIMIT_SEC,
     "past access decisions about a client, and the one made now *"},
    {"events", MAY_SERVICE, NO_LIST, run_events, NULL, NULL, NULL, ANSWER_LIMIT_SEC,
     "follow events as they happen *"},
    {"top", NO_SERVICE, NO_LIST, run_top, NULL, NULL, NULL, ANSWER_LIMIT_SEC,
     "services and workers, updated continuously"},
    {"debug", MASK, NO_LIST, run_debug, "SetDebug", NULL, view_debug, ANSWER_LIMIT_SEC,
     "show the debug masks; with MASK or 'default': set them *"},
    {"stop", MUST_SERVICE, NO_LIST, run_simple, "Stop", NULL, view_stop, ANSWER_LIMIT_SEC,
     "stop accepting connections; sessions may finish *"},
    {"start", MUST_SERVICE, NO_LIST, run_simple, "Start", NULL, view_start, ANSWER_LIMIT_SEC,
     "accept connections again *"},
    {"restart", MAY_SERVICE, NO_LIST, run_simple, "Restart", NULL, view_restart, ANSWER_LIMIT_SEC,
     "replace the workers without losing a connection *"},
    {"reload", NO_SERVICE, NO_LIST, run_simple, "Reload", NULL, view_reload, RELOAD_LIMIT_SEC,
     "reload the configuration *"},
    {"plan", NO_SERVICE, NO_LIST, run_plan, NULL, NULL, NULL, RELOAD_LIMIT_SEC,
     "what 'apply' would change, and what is in the way *"},
    {"apply", NO_SERVICE, NO_LIST, run_apply, NULL, NULL, NULL, RELOAD_LIMIT_SEC,
     "bring the configuration and its units into force *"},
    {"bridge", NO_SERVICE, NO_LIST, run_bridge, NULL, NULL, NULL, ANSWER_LIMIT_SEC,
     "join standard input and output to the control socket, for --host"},
    {0},
};

static const char test_access_verb[] = "test-access";
static const char import_verb[] = "import";
static const char simulate_verb[] = "simulate";

/* Adds the units of processes. The daemon cannot see those of other users from its sandbox; we can.
 */
static void find_units(json_t *parameters)
{
    json_t *workers = json_object_get(parameters, "workers");
    json_t *worker;
    size_t i;

    json_array_foreach(workers, i, worker) {
        pid_t pid = (pid_t)reply_number(worker, "pid");
        char *unit = NULL;

        if (reply_is_set(worker, "unit") || reply_is_true(worker, "is_child") || pid <= 0 ||
            sd_pid_get_unit(pid, &unit) < 0)
            continue;
        json_object_set_new(worker, "unit", json_string(unit));
        free(unit);
    }
}

/* Keeps in the lists only the rows that were asked for. Returns 0 or -ENOMEM. */
static int select_rows(const struct request *request, json_t *parameters)
{
    static const char *const lists[] = {"connections", "workers"};
    uint64_t now = reply_moment(parameters, "now");
    int r = 0;

    for (size_t i = 0; r == 0 && i < ELEMENTSOF(lists); i++)
        if (json_object_get(parameters, lists[i]))
            r = selection_apply(&request->selection, json_object_get(parameters, lists[i]), now);
    return r;
}

static int print_reply(const struct request *request, json_t *parameters,
                       int (*view)(const json_t *parameters, const char *service, FILE *stream))
{
    int r = request->is_json ? query_print_json(parameters)
                             : view(parameters, request->service, stdout);

    return query_exit_status(r);
}

static int run_simple(const struct verb *verb, const struct request *request)
{
    json_auto_t *parameters = NULL;

    if (request->hosts.n_items > 0)
        return hosts_run(verb->name, request);
    if (query(request, verb->method, verb->list, &parameters) < 0)
        return EXIT_FAILURE;
    if (strcmp(verb->method, "Workers") == 0)
        find_units(parameters);
    if (verb->selects != NO_LIST && select_rows(request, parameters) < 0)
        return query_exit_status(-ENOMEM);
    return print_reply(request, parameters, verb->view);
}

static int run_history(const struct verb *verb, const struct request *request)
{
    json_auto_t *connections = NULL, *workers = NULL;

    if (request->hosts.n_items > 0)
        return hosts_run(verb->name, request);
    if (query(request, "EndedConnections", "connections", &connections) < 0 ||
        query(request, "EndedWorkers", "workers", &workers) < 0)
        return EXIT_FAILURE;
    if (json_object_update(connections, workers) < 0 || select_rows(request, connections) < 0)
        return query_exit_status(-ENOMEM);
    return print_reply(request, connections, view_history);
}

static int run_clients(const struct verb *verb, const struct request *request)
{
    return request->hosts.n_items > 0 ? hosts_run(verb->name, request) : clients_run(request);
}

static int run_debug(const struct verb *verb, const struct request *request)
{
    json_auto_t *parameters = NULL;

    if (request->mask)
        return run_simple(verb, request);
    if (query(request, "Services", NULL, &parameters) < 0)
        return EXIT_FAILURE;
    return print_reply(request, parameters, view_masks);
}

static int run_events(_unused_ const struct verb *verb, const struct request *request)
{
    return events_run(request);
}

static int run_top(_unused_ const struct verb *verb, const struct request *request)
{
    return top_run(request);
}

static int run_plan(_unused_ const struct verb *verb, const struct request *request)
{
    return plan_run(request);
}

static int run_apply(_unused_ const struct verb *verb, const struct request *request)
{
    return apply_run(request);
}

static int run_bridge(_unused_ const struct verb *verb, const struct request *request)
{
    return bridge_run(request);
}

/* Runs a verb that needs no daemon. Returns an exit status, or EXIT_USAGE. */
static int run_test_access(struct arguments *arguments, int argc, char *argv[])
{
    if (argc == 0) {
        fprintf(stderr, "dispatcherctl: %s needs the address of a client\n", test_access_verb);
        return EXIT_USAGE;
    }
    arguments->test.is_json = arguments->request.is_json;
    return test_access(&arguments->test, argv, (size_t)argc);
}

/* The same. */
static int run_import(const struct arguments *arguments, int argc, char *argv[])
{
    const struct import_arguments import = {.form = arguments->from,
                                            .mappings = arguments->test.mappings};

    return import_command(&import, argv, (size_t)argc);
}

/* The same. */
static int run_simulate(struct arguments *arguments, int argc, char *argv[])
{
    arguments->simulate.is_json = arguments->request.is_json;
    return simulate_command(&arguments->simulate, argv, (size_t)argc);
}

static int run_verb(struct arguments *arguments)
{
    bool has_hosts = arguments->request.hosts.n_items > 0;
    unsigned usual_sec = has_hosts ? HOSTS_LIMIT_SEC : arguments->verb->limit_sec;
    unsigned limit_sec = arguments->limit_sec > 0 ? arguments->limit_sec : usual_sec;

    arguments->request.limit_usec = limit_sec * USEC_PER_SEC;
    style_start(STDOUT_FILENO);
    return arguments->verb->run(arguments->verb, &arguments->request);
}

int main(int argc, char *argv[])
{
    struct arguments arguments = {.verbs = verbs};
    int status = EXIT_USAGE;

    int r = fd_fill_standard(O_RDONLY);
    if (r < 0) {
        fprintf(stderr, "dispatcherctl: cannot open /dev/null: %s\n", strerror(-r));
        return EXIT_FAILURE;
    }
    if (arguments_parse_options(argc, argv, &arguments) == 0) {
        if (optind < argc && strcmp(argv[optind], test_access_verb) == 0)
            status = run_test_access(&arguments, argc - optind - 1, argv + optind + 1);
        else if (optind < argc && strcmp(argv[optind], import_verb) == 0)
            status = run_import(&arguments, argc - optind - 1, argv + optind + 1);
        else if (optind < argc && strcmp(argv[optind], simulate_verb) == 0)
            status = run_simulate(&arguments, argc - optind - 1, argv + optind + 1);
        else if (arguments_parse_words(argc - optind, argv + optind, &arguments) == 0)
            status = run_verb(&arguments);
    }
    if (status == EXIT_USAGE)
        fputs("Try 'dispatcherctl --help' for more information.\n", stderr);
    arguments_clear(&arguments);
    return status;
}
