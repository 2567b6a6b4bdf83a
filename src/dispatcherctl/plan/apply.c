/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Brings the files into force, in the order of steps that systemd needs:
 *
 * daemon-reload -> clients in the queues of sockets that will close are accepted -> these sockets
 * are stopped -> the daemon is restarted, which starts all sockets -> all is there
 *
 * systemd starts no socket while its service runs; a socket that is stopped while the daemon runs
 * stays open until the daemon exits. If no socket changes, the daemon only reloads. */
#include "base/str.h"
#include "base/time.h"
#include "control_client/client.h"
#include "control_client/reply.h"
#include "dispatcherctl/plan/plan.h"
#include "dispatcherctl/plan/systemctl.h"
#include "dispatcherctl/plan/vacating.h"
#include "dispatcherctl/query/query.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A round may leave something due, such as a socket that had to wait for another one to close; the
 * next round does it. */
#define ROUNDS_MAX 3

/* How often to ask the daemon while waiting. */
#define LOOK_INTERVAL_USEC (USEC_PER_SEC / 20)

/* How long to wait for the clients in a queue before its socket is closed. New clients try again
 * after 1, 3 and 7 s meanwhile. */
#define VACATE_LIMIT_USEC (8 * USEC_PER_SEC)

/* How long to wait at least: so long a client whose handshake is under way, and which is in no
 * queue yet, may need for it, even if the first answer to its SYN is lost (RFC 6298: a second). */
#define HANDSHAKE_USEC (USEC_PER_SEC * 3 / 2)

/* How long the steps after that may take. */
#define RESTART_MIN_USEC (10 * USEC_PER_SEC)

struct applying {
    const struct request *request;
    uint64_t until;     /* CLOCK_MONOTONIC */
    json_t *plans;      /* owned: an array of the plans that the rounds carried out */
    char failure[2048]; /* what has failed; "" if nothing */
};

static _printf_(2, 3) int fail(struct applying *applying, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(applying->failure, sizeof(applying->failure), format, arguments);
    va_end(arguments);
    return -EREMOTEIO;
}

static uint64_t left(const struct applying *applying)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    return now < applying->until ? applying->until - now : 1;
}

/* How long to wait for the last answer even if the time limit is used up: it says what is in force.
 */
#define ANSWER_MIN_USEC (5 * USEC_PER_SEC)

/* Asks without reporting an error, since the daemon may be starting. Returns the parameters of the
 * reply, or NULL. */
static json_t *ask(const struct applying *applying, const char *method)
{
    struct request request = *applying->request;
    struct client client = {.fd = -1};
    json_auto_t *reply = NULL;

    request.limit_usec = left(applying) > ANSWER_MIN_USEC ? left(applying) : ANSWER_MIN_USEC;
    if (client_open(request.socket, request.limit_usec, &client) == 0)
        (void)query_call(&client, &request, method, NULL, USEC_INFINITY, &reply);
    client_close(&client);
    return reply && !json_object_get(reply, "error")
               ? json_incref(json_object_get(reply, "parameters"))
               : NULL;
}

/* The steps */

static int run_systemctl(struct applying *applying, const char *verb, const struct str_list *units)
{
    const char **words = calloc(units->n_items + 2, sizeof(*words));
    _cleanup_str_ char *output = NULL;

    if (!words)
        return fail(applying, "out of memory");
    words[0] = verb;
    for (size_t i = 0; i < units->n_items; i++)
        words[i + 1] = units->items[i];
    int r = systemctl(words, left(applying), &output);
    free(words);
    if (r == 0)
        return 0;
    if (output)
        output[strcspn(output, "\n")] = '\0';
    return fail(applying, "systemctl %s%s%s: %s", verb, units->n_items > 0 ? " " : "",
                units->n_items > 0 ? units->items[0] : "",
                r == -EREMOTEIO && output && output[0] ? output : strerror(-r));
}

static int run_systemctl_on(struct applying *applying, const char *verb, const char *unit)
{
    struct str_list units = {0};

    int r = unit && str_list_append(&units, unit) < 0 ? fail(applying, "out of memory")
                                                      : run_systemctl(applying, verb, &units);
    str_list_clear(&units);
    return r;
}

/* The clients in the queues of a service's listeners at these addresses. */
static int64_t count_queued_of(const json_t *service, const struct address_set *addresses)
{
    const json_t *listener;
    int64_t n = 0;
    size_t i;

    json_array_foreach(json_object_get(service, "listeners"), i, listener) {
        struct address address;

        if (address_parse(reply_text(listener, "address"), &address) < 0)
            continue;
        address.port = (uint16_t)reply_number(listener, "port");
        if (address_set_has(addresses, &address))
            n += reply_number(json_object_get(listener, "queue"), "value");
    }
    return n;
}

static int64_t count_queued(const json_t *services, const struct address_set *addresses)
{
    const json_t *service;
    int64_t n = 0;
    size_t i;

    json_array_foreach(services, i, service)
        n += count_queued_of(service, addresses);
    return n;
}

static int fail_for_queues(struct applying *applying, const json_t *services,
                           const struct address_set *addresses)
{
    const json_t *service;
    size_t i;

    json_array_foreach(services, i, service) {
        int64_t n = count_queued_of(service, addresses);
        const char *name = reply_text(service, "name");

        if (n > 0 && strcmp(reply_text(service, "state"), "stopped") == 0)
            return fail(
                applying,
                "%s is stopped, and %" PRId64 " %s in the queues of sockets that have to be "
                "closed; nobody was disconnected. To serve them first: dispatcherctl start %s",
                name, n, str_plural((uint64_t)n, "client waits", "clients wait"), name);
        if (n > 0)
            return fail(applying,
                        "%" PRId64 " %s in the queues of sockets that have to be closed, and no "
                        "worker of %s has room; nobody was disconnected",
                        n, str_plural((uint64_t)n, "client waits", "clients wait"), name);
    }
    return fail(applying, "the daemon does not answer");
}

static int wait_for_queues(struct applying *applying, const struct address_set *addresses)
{
    uint64_t begin = time_now_usec(CLOCK_MONOTONIC);

    for (;;) {
        json_auto_t *reply = ask(applying, "Services");
        const json_t *services = json_object_get(reply, "services");
        uint64_t waited = time_now_usec(CLOCK_MONOTONIC) - begin;

        if (reply && count_queued(services, addresses) == 0 && waited >= HANDSHAKE_USEC)
            return 0;
        if (waited >= VACATE_LIMIT_USEC)
            return fail_for_queues(applying, services, addresses);
        (void)usleep(LOOK_INTERVAL_USEC);
    }
}

/* Keeps new clients out of the queues, and waits until those in them were accepted. */
static int empty_queues(struct applying *applying, const struct address_set *addresses,
                        struct vacating *ret)
{
    json_auto_t *status = ask(applying, "Status");

    if (left(applying) < VACATE_LIMIT_USEC + RESTART_MIN_USEC)
        return fail(applying,
                    "not enough time is left to close sockets without disconnecting clients; "
                    "nobody was disconnected. Try --timeout %d",
                    (int)((2 * (VACATE_LIMIT_USEC + RESTART_MIN_USEC)) / USEC_PER_SEC));
    int r = vacating_begin((pid_t)reply_number(status, "pid"), addresses, ret);
    if (r < 0)
        return fail(applying, "cannot keep new clients out of the queues of sockets: %s",
                    strerror(-r));
    r = wait_for_queues(applying, addresses);
    if (r < 0)
        vacating_end(ret, true);
    return r;
}

static int restart_units(struct applying *applying, const struct plan *plan)
{
    int r = 0;

    if (plan->units.to_stop.n_items > 0)
        r = run_systemctl(applying, "stop", &plan->units.to_stop);
    if (r == 0)
        r = run_systemctl_on(applying, "restart", "dispatcherd.service");
    return r;
}

/* If a step fails, the daemon still has the sockets, and new clients have to come in again. */
static int restart(struct applying *applying, const struct plan *plan)
{
    const struct address_set *addresses = &plan->units.to_vacate;
    struct vacating vacating;

    if (!plan->is_running || addresses->n_items == 0)
        return restart_units(applying, plan);
    int r = empty_queues(applying, addresses, &vacating);
    if (r < 0)
        return r;
    r = restart_units(applying, plan);
    vacating_end(&vacating, r < 0);
    return r;
}

static int reload(struct applying *applying)
{
    json_auto_t *reply = NULL;

    if (query(applying->request, "Reload", NULL, &reply) < 0)
        return fail(applying, "dispatcherd has refused the files");
    return 0;
}

static int carry_out(struct applying *applying, const struct plan *plan)
{
    int r = 0;

    if (plan->units.needs_daemon_reload || plan->units.needs_restart)
        r = run_systemctl_on(applying, "daemon-reload", NULL);
    if (r == 0 && plan->units.needs_restart)
        r = restart(applying, plan);
    else if (r == 0 && plan->needs_reload)
        r = reload(applying);
    return r;
}

/* Waiting until all is there */

/* Why a service does not serve yet; NULL if it does. With MIN_PROCS=0 no worker is needed before a
 * client comes. */
static const char *lack_of(const json_t *service)
{
    const json_t *options = json_object_get(service, "options");
    const char *state = reply_text(service, "state");
    bool has_ports = json_array_size(json_object_get(options, "PORT")) > 0 ||
                     json_array_size(json_object_get(options, "TLS_PORT")) > 0;

    if (strcmp(state, "stopped") == 0 || strcmp(state, "stopping") == 0)
        return NULL;
    if (has_ports && !reply_is_true(service, "has_socket"))
        return "it has no socket";
    if (reply_number(options, "MIN_PROCS") > 0 && reply_number(service, "n_ready") == 0)
        return reply_is_set(service, "start_error") ? reply_text(service, "start_error")
                                                    : "no worker is ready";
    return NULL;
}

/* Returns whether everything is there; if not, `lack` says what is missing. */
static bool is_there(const struct applying *applying, char lack[1024])
{
    json_auto_t *status = ask(applying, "Status"), *services = ask(applying, "Services");
    const json_t *service;
    size_t i;

    snprintf(lack, 1024, "dispatcherd does not answer");
    if (!status || !services)
        return false;
    snprintf(lack, 1024, "dispatcherd is %s", reply_text(status, "state"));
    if (strcmp(reply_text(status, "state"), "running") != 0)
        return false;
    json_array_foreach(json_object_get(services, "services"), i, service) {
        const char *why = lack_of(service);

        if (!why)
            continue;
        snprintf(lack, 1024, "%s: %s", reply_text(service, "name"), why);
        return false;
    }
    return true;
}

static int wait_for_all(struct applying *applying)
{
    char lack[1024];

    while (!is_there(applying, lack)) {
        if (time_now_usec(CLOCK_MONOTONIC) >= applying->until)
            return fail(applying, "%s", lack);
        (void)usleep(LOOK_INTERVAL_USEC);
    }
    return 0;
}

/* Output */

static void print_in_force(const struct applying *applying)
{
    json_auto_t *status = ask(applying, "Status");
    const json_t *service;
    size_t i;

    if (!status) {
        fputs("dispatcherctl: dispatcherd is not running, or does not answer; see: "
              "systemctl status dispatcherd\n",
              stderr);
        return;
    }
    fprintf(stderr, "dispatcherctl: in force is %s\n",
            reply_is_true(status, "is_on_last_config") ? "the last good configuration"
                                                       : "the configuration that was read last");
    json_array_foreach(json_object_get(status, "services"), i, service)
        fprintf(stderr, "dispatcherctl: %s: %s, %" PRId64 " %s ready%s\n",
                reply_text(service, "name"), reply_text(service, "state"),
                reply_number(service, "n_ready"),
                str_plural((uint64_t)reply_number(service, "n_ready"), "worker", "workers"),
                reply_is_true(service, "has_socket") ? "" : ", no socket");
    if (reply_text(status, "due_command")[0])
        fprintf(stderr, "dispatcherctl: to continue when that is solved: %s\n",
                reply_text(status, "due_command"));
}

static int print_result(const struct applying *applying, bool is_good)
{
    const json_t *plan;
    size_t i;
    int r = 0;

    if (applying->request->is_json) {
        json_auto_t *object =
            json_pack("{s:b, s:O, s:s?}", "is_done", is_good, "rounds", applying->plans, "failure",
                      applying->failure[0] ? applying->failure : NULL);
        return object ? query_print_json(object) : -ENOMEM;
    }
    json_array_foreach(applying->plans, i, plan) {
        r = plan_print_changes(plan, true, stdout);
        plan_print_notes(plan, stdout);
    }
    if (is_good)
        puts(json_array_size(applying->plans) > 0 ? "done: the files are in force"
                                                  : "nothing to do: the files are in force");
    return r;
}

/* Checks that must pass before anything is changed. */
static int check(struct applying *applying, const struct plan *plan)
{
    if (!plan->is_usable) {
        plan_print_problems(plan->object, stderr);
        return fail(applying, "the files have errors; nothing was changed");
    }
    if (plan_is_obstructed(plan)) {
        plan_print_obstacles(plan->object, stderr);
        return fail(applying, "another program uses a port; nothing was changed");
    }
    if (plan->has_units && geteuid() != 0)
        return fail(applying, "apply must run as root; nothing was changed");
    return 0;
}

/* Does one round. Returns 1 if more may be left to do, 0 if nothing is, or a negative errno. */
static int go_round(struct applying *applying)
{
    struct plan plan = {0};

    if (plan_make(applying->request, &plan) < 0)
        return fail(applying, "nothing was changed");
    int r = check(applying, &plan);
    bool is_empty = plan_is_empty(&plan);
    if (r == 0 && !is_empty)
        r = carry_out(applying, &plan);
    if (r == 0 && !is_empty && json_array_append(applying->plans, plan.object) < 0)
        r = fail(applying, "out of memory");
    plan_clear(&plan);
    if (r == 0 && !is_empty)
        r = wait_for_all(applying);
    return r < 0 ? r : !is_empty;
}

int apply_run(const struct request *request)
{
    struct applying applying = {
        .request = request,
        .until = time_now_usec(CLOCK_MONOTONIC) + request->limit_usec,
        .plans = json_array(),
    };
    int r = 1;

    for (int i = 0; i < ROUNDS_MAX && r > 0; i++)
        r = go_round(&applying);
    if (r > 0)
        r = fail(&applying, "something is still due: dispatcherctl plan");
    int printed = print_result(&applying, r == 0);
    if (r < 0) {
        fprintf(stderr, "dispatcherctl: %s\n", applying.failure);
        print_in_force(&applying);
    }
    json_decref(applying.plans);
    int status = query_exit_status(printed);
    return r < 0 ? EXIT_FAILURE : status;
}
