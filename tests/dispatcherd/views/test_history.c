/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Statistics and history as the control socket tells them, and as a successor finds them. */
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/control/call.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/core/archive.h"
#include "dispatcherd/core/completion.h"
#include "dispatcherd/service/listener.h"
#include "dispatcherd/sockets/kernel_queue.h"
#include "support/suite.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char configuration[] = "[SERVICE=SMTP]\nPORT=25\nIMAGE=smtp\nHISTORICAL_TIME=3600\n"
                                    "[SERVICE=POP3]\nPORT=110\nIMAGE=pop3\n";

static const struct control_caller trusted = {.is_trusted = true};
static struct control_scene scene;

static void setup(void)
{
    scene_init(&scene, configuration);
}

static void teardown(void)
{
    scene_clear(&scene);
}

/* The parameters of the reply. */
static json_t *call(const char *method, const char *service)
{
    json_auto_t *message = varlink_method(method, json_pack("{s:s*}", "service", service));
    json_auto_t *reply = NULL;
    size_t size;
    char *text = varlink_message_text(message, &size), *answer = NULL;

    ck_assert_int_eq(
        control_answer(&scene_operations, &scene, &trusted, NULL, text, size - 1, &answer, &size),
        0);
    ck_assert_int_eq(varlink_reply_parse(answer, size - 1, &reply), 0);
    ck_assert_ptr_null(json_object_get(reply, "error"));
    free(text);
    free(answer);
    return json_incref(json_object_get(reply, "parameters"));
}

static json_int_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static const json_t *statistics_in(const json_t *parameters, size_t service)
{
    return json_object_get(json_array_get(json_object_get(parameters, "services"), service),
                           "statistics");
}

START_TEST(test_three_connections_two_at_once)
{
    struct worker *worker = scene_add_worker(&scene, 0, 0, 4711);
    struct connection *first = scene_add_connection(&scene, 0, worker);
    struct connection *second = scene_add_connection(&scene, 0, worker);
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    completion_end(first, HISTORY_ENDED, now);
    completion_end(scene_add_connection(&scene, 0, worker), HISTORY_ENDED, now);
    completion_end(second, HISTORY_ENDED, now);
    json_auto_t *reply = call(CONTROL_INTERFACE ".Services", NULL);
    const json_t *statistics = statistics_in(reply, 0);
    const json_t *concurrent = json_object_get(statistics, "concurrent");
    ck_assert_int_eq(number(concurrent, "current"), 0);
    ck_assert_int_eq(number(concurrent, "min"), 0);
    ck_assert_int_eq(number(concurrent, "max"), 2);
    ck_assert_int_eq(number(json_object_get(statistics, "duration"), "n"), 3);
    ck_assert_int_eq(number(json_object_get(statistics, "wait"), "n"), 3);
    ck_assert_int_eq(number(json_object_get(statistics, "hourly"), "running"), 3);
    ck_assert_int_eq(number(statistics, "n_admitted"), 3);
    ck_assert_int_eq(number(statistics, "n_ended"), 3);
    ck_assert_uint_eq(worker_in_pool(worker)->n_peak, 2);
    ck_assert_uint_eq(worker_in_pool(worker)->n_total, 3);
}
END_TEST

START_TEST(test_rejected_counts_as_rejected_alone)
{
    int fd = -1;
    struct connection *connection = connection_new(scene.services[0], &fd, 1);

    connection_check(connection);
    completion_record(
        connection,
        &(struct connection_end){.how = HISTORY_REJECTED, .at = 5, .reason = REJECTED_BY_MAPPING});
    json_auto_t *reply = call(CONTROL_INTERFACE ".Services", NULL);
    const json_t *statistics = statistics_in(reply, 0);
    ck_assert_int_eq(number(statistics, "n_rejected"), 1);
    ck_assert_int_eq(number(json_object_get(statistics, "rejected"), "mapping"), 1);
    ck_assert_int_eq(number(statistics, "n_admitted"), 0);
}
END_TEST

START_TEST(test_lists_how_connections_ended)
{
    static const char *const ends[] = {"unserved", "gone",   "sent-away",
                                       "failed",   "broken", "ended"};
    struct worker *worker = scene_add_worker(&scene, 0, 0, 4711);
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    struct connection *ended = scene_add_connection(&scene, 0, worker);

    ended->ident_user = strdup("<script>\xe9");
    completion_end(ended, HISTORY_ENDED, now + 1);
    completion_end(scene_add_connection(&scene, 0, worker), HISTORY_BROKEN, now + 1);
    completion_end(scene_add_connection(&scene, 0, worker), HISTORY_FAILED, now + 1);
    completion_end(scene_add_connection(&scene, 0, worker), HISTORY_SENT_AWAY, now + 1);
    completion_end(scene_add_connection(&scene, 0, NULL), HISTORY_GONE, now + 1);
    completion_end(scene_add_connection(&scene, 0, NULL), HISTORY_UNSERVED, now + 1);
    completion_end(scene_add_connection(&scene, 1, scene_add_worker(&scene, 1, 0, 1)),
                   HISTORY_ENDED, now);
    json_auto_t *services = call(CONTROL_INTERFACE ".Services", NULL);
    ck_assert_int_eq(number(statistics_in(services, 0), "n_ended"), 3);
    ck_assert_int_eq(number(statistics_in(services, 0), "n_failed_sessions"), 1);
    ck_assert_int_eq(number(statistics_in(services, 0), "n_sent_away"), 1);
    json_auto_t *reply = call(CONTROL_INTERFACE ".EndedConnections", NULL);
    const json_t *list = json_object_get(reply, "connections");
    ck_assert_uint_eq(json_array_size(list), ELEMENTSOF(ends)); /* POP3 remembers nothing */
    for (size_t i = 0; i < ELEMENTSOF(ends); i++) {
        const json_t *item = json_array_get(list, i);
        bool had_worker = i >= 2;

        ck_assert_str_eq(json_string_value(json_object_get(item, "end")), ends[i]);
        ck_assert_int_eq(number(item, "worker_pid"), had_worker ? 4711 : 0);
        ck_assert_int_eq(json_is_null(json_object_get(item, "handed_at")), !had_worker);
    }
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(list, 5), "ident_user")),
                     "<script>?");
}
END_TEST

START_TEST(test_names_what_a_worker_held_when_it_died)
{
    struct worker *worker = scene_add_worker(&scene, 0, 3, 4711);
    const struct worker_exit killed = {
        .cause = "died of signal 9 (Killed)", .status = -1, .signal = 9};

    scene_add_connection(&scene, 0, worker);
    scene_add_connection(&scene, 0, worker);
    archive_worker(worker, &killed, time_now_usec(CLOCK_MONOTONIC));
    json_auto_t *reply = call(CONTROL_INTERFACE ".EndedWorkers", "smtp");
    const json_t *item = json_array_get(json_object_get(reply, "workers"), 0);
    ck_assert_int_eq(number(item, "slot"), 3);
    ck_assert_int_eq(number(item, "pid"), 4711);
    ck_assert_int_eq(number(item, "n_current"), 2);
    ck_assert_int_eq(number(item, "signal"), 9);
    ck_assert(json_is_null(json_object_get(item, "exit_status")));
    ck_assert_uint_eq(json_array_size(json_object_get(item, "held")), 2);
    ck_assert_str_eq(json_string_value(json_object_get(item, "cause")), killed.cause);
}
END_TEST

/* Figures and history continue in the memory that is left behind. */
START_TEST(test_a_successor_goes_on)
{
    struct worker *worker = scene_add_worker(&scene, 0, 0, 4711);
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    struct state *old, *new;

    completion_end(scene_add_connection(&scene, 0, worker), HISTORY_ENDED, now);
    int fd = dup(state_fd(scene.state));
    ck_assert_int_eq(state_open(&fd, &old), 0);
    ck_assert_int_eq(state_new(&new), 0);
    struct service_state *service = state_claim(new, scene.services[0]->options->unit_name);
    struct service_state *other = state_claim(new, "other");
    state_inherit(new, old, now);
    ck_assert_uint_eq(service->statistics.n_ended, 1);
    ck_assert_ptr_nonnull(history_connection(&service->history, 0, USEC_PER_SEC, now));
    ck_assert_uint_eq(other->statistics.n_ended, 0);
    state_release(service);
    ck_assert_uint_eq(service->history.n_connections, 0);
    state_free(new);
    state_free(old);
}
END_TEST

/* A real listening socket, with clients that nobody accepts. */
START_TEST(test_looks_into_the_kernels_queue)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    struct service *service = scene.services[1];
    int clients[3];

    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(fd, 7), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    ck_assert_int_eq(listener_add(service, &fd, false, true), 0);
    struct listener *listener = &service->listeners[1];
    ck_assert_uint_eq(queue_look(listener).n_waiting, 0);
    ck_assert_uint_eq(queue_look(listener).limit, 7);
    for (size_t i = 0; i < ELEMENTSOF(clients); i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(connect(clients[i], (struct sockaddr *)&address, length), 0);
    }
    ck_assert_uint_eq(queue_look(listener).n_waiting, 3);
    ck_assert_uint_eq(queue_watch(&service->backlog, service->listeners, service->n_listeners,
                                  false, 5 * USEC_PER_SEC),
                      6 * USEC_PER_SEC);
    ck_assert_uint_eq(service->backlog.since, 5 * USEC_PER_SEC);
    queue_watch(&service->backlog, service->listeners, service->n_listeners, false,
                9 * USEC_PER_SEC);
    ck_assert_uint_eq(listener->waiting_since, 5 * USEC_PER_SEC);
    ck_assert_uint_eq(queue_watch(&service->backlog, service->listeners, service->n_listeners, true,
                                  10 * USEC_PER_SEC),
                      USEC_INFINITY);
    ck_assert_uint_eq(service->backlog.since, 0);
    int accepted = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(accepted, 0);
    ck_assert_uint_lt(queue_time(&service->backlog, accepted, 10 * USEC_PER_SEC), 5 * USEC_PER_SEC);
    fd_close(accepted);
    for (size_t i = 0; i < ELEMENTSOF(clients); i++)
        fd_close(clients[i]);
}
END_TEST

/* The Unix socket that a scene's service has tells nothing. */
START_TEST(test_a_unix_socket_has_no_queue_to_see)
{
    struct queue_depth depth = queue_look(&scene.services[0]->listeners[0]);

    ck_assert_uint_eq(depth.n_waiting, 0);
    ck_assert_uint_eq(depth.limit, 0);
}
END_TEST

START_TEST(test_names_the_cause_of_waiting)
{
    struct service *service = scene.services[0];
    struct worker *worker;

    ck_assert_str_eq(service_wait_cause(service, 1), "");
    scene_add_connection(&scene, 0, NULL);
    pool_worker_started(service->pool, 5, 1);
    ck_assert_str_eq(service_wait_cause(service, 1), "a worker is starting");
    pool_worker_exited(service->pool, 5, 1);
    for (unsigned slot = 0; slot < service->options->max_procs; slot++) {
        worker = scene_add_worker(&scene, 0, slot, 100);
        for (unsigned i = 0; i < service->options->max_conns; i++)
            scene_add_connection(&scene, 0, worker);
    }
    ck_assert_str_eq(service_wait_cause(service, 1), "no free place in a worker");
    service->pool->is_stopping = true;
    ck_assert_str_eq(service_wait_cause(service, 1), "stopped");
}
END_TEST

SUITE("history", setup, teardown, test_three_connections_two_at_once,
      test_rejected_counts_as_rejected_alone, test_lists_how_connections_ended,
      test_names_what_a_worker_held_when_it_died, test_a_successor_goes_on,
      test_looks_into_the_kernels_queue, test_a_unix_socket_has_no_queue_to_see,
      test_names_the_cause_of_waiting)
