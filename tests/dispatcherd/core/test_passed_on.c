/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Connections that were passed on, with true sockets, since the kernel is asked about them. What
 * another program holds is a copy of the descriptor in our own hands. */
#include "support/suite.h"

#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/core/passed_on.h"
#include "dispatcherd/messages/greeting.h"
#include "dispatcherd/messages/news.h"
#include "protocol/channel.h"

#include <netinet/in.h>
#include <stdalign.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_USEC    (10 * USEC_PER_SEC)
#define CONFIGURATION "[SERVICE=TEST]\nPORT=25\nIMAGE=/bin/true\nMAX_CONNS=20\n"

static struct control_scene scene;
static struct service *service;
static struct worker *worker;
static uint64_t now;
static int client, others_copy;

static void begin_scene(struct control_scene *of)
{
    scene_init(of, CONFIGURATION);
    ck_assert_int_eq(passed_on_start(&of->context, of->state), 0);
}

/* The services go first: their connections' records are in the watch. */
static void end_scene(struct control_scene *of)
{
    struct context context = of->context;

    scene_clear(of);
    passed_on_end(&context);
}

static void set_up(void)
{
    begin_scene(&scene);
    service = scene.services[0];
    worker = scene_add_worker(&scene, 0, 0, 4711);
    worker->knows.pass = true;
    now = time_now_usec(CLOCK_MONOTONIC);
    client = others_copy = -1;
}

static void tear_down(void)
{
    fd_close(client);
    fd_close(others_copy);
    end_scene(&scene);
}

/* The server's end of a connection from `client` over the loopback interface. */
static int accept_client(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&address, length), 0);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    fd_close(listener);
    return fd;
}

/* One in hand-off, of which another program has a copy. */
static struct connection *hand_off(void)
{
    int fd = accept_client();

    others_copy = dup(fd);
    struct connection *connection = connection_new(service, &fd, now);
    ck_assert_ptr_nonnull(connection);
    connection->peer = (struct address){.family = AF_INET, .bytes = {192, 0, 2, 7}};
    connection_check(connection);
    connection_wait(connection, now);
    connection_hand_off(connection, worker, now);
    return connection;
}

static struct connection *activate(void)
{
    struct connection *connection = hand_off();

    connection_activate(connection, now);
    return connection;
}

/* Runs the loop until nothing of that service is passed on any more. */
static void await_end(const struct control_scene *of)
{
    const uint64_t end = time_now_usec(CLOCK_MONOTONIC) + LIMIT_USEC;

    while (of->services[0]->pool->n_passed_on > 0) {
        ck_assert_uint_lt(time_now_usec(CLOCK_MONOTONIC), end);
        ck_assert_int_ge(sd_event_run(of->context.event, USEC_PER_SEC), 0);
    }
}

START_TEST(test_a_record_is_there_before_the_worker_has_it)
{
    struct connection *connection = hand_off();

    ck_assert_ptr_nonnull(connection->record);
    ck_assert_uint_eq(connection->record->id, connection->id);
    ck_assert_str_eq(connection->record->unit_name, service->options->unit_name);
    ck_assert_int_eq(connection->record->worker_pid, 4711);
    ck_assert(!connection->record->is_passed_on);
    ck_assert_uint_eq(passed_on_n_numbers(&scene.context), 1);
    /* It is active, not passed on, for those who ask. */
    ck_assert_ptr_null(passed_on_connection(service, 0));
}
END_TEST

START_TEST(test_what_comes_back_or_ends_has_no_record)
{
    struct connection *connection = hand_off();
    const struct passed_record *record = connection->record;

    connection_take_back(connection, now);
    ck_assert_ptr_null(connection->record);
    ck_assert_uint_eq(record->id, 0);
    connection_hand_off(connection, worker, now);
    ck_assert_ptr_eq(connection->record, record); /* the free one is taken first */
    connection_activate(connection, now);
    connection_close(connection, now);
    ck_assert_uint_eq(record->id, 0);
}
END_TEST

START_TEST(test_a_worker_that_passes_nothing_on_has_no_records)
{
    worker->knows.pass = false;
    ck_assert_ptr_null(activate()->record);
    ck_assert_uint_eq(passed_on_n_numbers(&scene.context), 0);
}
END_TEST

START_TEST(test_it_is_over_when_the_other_program_closes_it)
{
    struct connection *connection = activate();

    passed_on_begin(connection, now);
    ck_assert_int_eq(connection->state, CONNECTION_PASSED_ON);
    ck_assert(connection->record->is_passed_on);
    ck_assert_uint_eq(service->pool->n_passed_on, 1);
    ck_assert_uint_eq(service->pool->n_active, 0);
    ck_assert_uint_eq(worker->n_held, 0);
    ck_assert_int_eq(connection_worker_pid(connection), 4711);
    ck_assert_ptr_eq(passed_on_connection(service, 0), connection);

    /* Asked, and answered: it is open. */
    uint64_t asked_at = connection->asked_at;
    while (connection->asked_at == asked_at)
        ck_assert_int_gt(sd_event_run(scene.context.event, LIMIT_USEC), 0);
    ck_assert_uint_eq(service->pool->n_passed_on, 1);

    others_copy = fd_close(others_copy);
    await_end(&scene);
    ck_assert_uint_eq(service->statistics->n_ended, 1);
    ck_assert_uint_eq(service->statistics->n_broken, 0);
    ck_assert_ptr_null(passed_on_connection(service, 0));
}
END_TEST

/* As if it were over: nobody could say when it is. */
START_TEST(test_without_a_record_it_ends_when_it_is_passed_on)
{
    worker->knows.pass = false;
    struct connection *connection = activate();

    passed_on_begin(connection, now);
    ck_assert_uint_eq(service->pool->n_passed_on, 0);
    ck_assert_uint_eq(service->pool->n_active, 0);
    ck_assert_uint_eq(service->statistics->n_ended, 1);
}
END_TEST

/* The worker is gone, and could not say whether it had passed the connection on: the socket does.
 */
START_TEST(test_the_end_of_a_worker_ends_what_it_had_not_passed_on)
{
    struct connection *connection = activate();

    others_copy = fd_close(others_copy);
    passed_on_or_broken(connection, now);
    await_end(&scene);
    ck_assert_uint_eq(service->statistics->n_broken, 1);
    ck_assert_uint_eq(service->statistics->n_ended, 0);
}
END_TEST

START_TEST(test_the_end_of_a_worker_does_not_end_what_it_had_passed_on)
{
    struct connection *connection = activate();

    passed_on_or_broken(connection, now);
    while (!connection->record->is_passed_on)
        ck_assert_int_gt(sd_event_run(scene.context.event, LIMIT_USEC), 0);
    ck_assert_uint_eq(service->pool->n_passed_on, 1);
    others_copy = fd_close(others_copy);
    await_end(&scene);
    ck_assert_uint_eq(service->statistics->n_broken, 0);
    ck_assert_uint_eq(service->statistics->n_ended, 1);
}
END_TEST

START_TEST(test_without_a_record_the_end_of_a_worker_breaks_it)
{
    worker->knows.pass = false;
    passed_on_or_broken(activate(), now);
    ck_assert_uint_eq(service->statistics->n_broken, 1);
}
END_TEST

START_TEST(test_a_successor_goes_on_watching)
{
    struct control_scene next;
    struct connection *connection = activate();
    uint64_t id = connection->id;

    passed_on_begin(connection, now);
    begin_scene(&next);
    ck_assert_uint_eq(passed_on_take_over(&next.context, next.services, 0, scene.state), 0);
    ck_assert_uint_eq(passed_on_take_over(&next.context, next.services, 1, scene.state), 1);
    const struct connection *taken = passed_on_connection(next.services[0], 0);
    ck_assert_ptr_nonnull(taken);
    ck_assert_uint_eq(taken->id, id);
    ck_assert_int_eq(taken->peer.bytes[3], 7);
    ck_assert_int_eq(connection_worker_pid(taken), 4711);
    ck_assert_uint_eq(next.services[0]->pool->n_passed_on, 1);

    others_copy = fd_close(others_copy);
    await_end(&next);
    ck_assert_uint_eq(next.services[0]->statistics->n_ended, 1);
    end_scene(&next);
}
END_TEST

START_TEST(test_an_adopted_worker_takes_up_what_it_still_has)
{
    struct control_scene next;
    uint64_t id = activate()->id;

    begin_scene(&next);
    ck_assert_uint_eq(passed_on_take_over(&next.context, next.services, 1, scene.state), 1);
    struct worker *adopted = scene_add_worker(&next, 0, 0, 4711);
    ck_assert_ptr_null(passed_on_take_up(adopted, id + 1));
    struct connection *connection = passed_on_take_up(adopted, id);
    ck_assert_ptr_nonnull(connection);
    ck_assert_int_eq(connection->state, CONNECTION_ACTIVE);
    ck_assert_uint_eq(next.services[0]->pool->n_passed_on, 0);
    ck_assert_uint_eq(next.services[0]->pool->n_active, 1);
    ck_assert_uint_eq(adopted->n_held, 1);
    ck_assert_ptr_null(passed_on_take_up(adopted, id));

    /* Its record goes on. */
    passed_on_begin(connection, now);
    ck_assert_uint_eq(next.services[0]->pool->n_passed_on, 1);
    end_scene(&next);
}
END_TEST

/* What the worker was given has come back to it, and there is a socket that is not the client's. */
START_TEST(test_a_connection_comes_back_from_a_worker)
{
    struct connection *connection = activate();
    int stranger = accept_client(), fd = dup(others_copy);

    ck_assert(!passed_on_is_socket_of(connection, stranger));
    ck_assert(passed_on_is_socket_of(connection, fd));
    connection_put_back(connection, &fd, now);
    ck_assert_int_eq(fd, -1);
    ck_assert_int_eq(connection->state, CONNECTION_WAITING);
    ck_assert_ptr_null(connection->record);
    ck_assert_uint_eq(service->pool->n_active, 0);
    ck_assert_uint_eq(service->pool->n_waiting, 1);
    ck_assert_uint_eq(worker->n_held, 0);
    fd_close(stranger);
}
END_TEST

START_TEST(test_connections_come_back_to_where_they_waited)
{
    struct connection *first = activate(), *second = activate();

    first->accepted_at = now - 2;
    second->accepted_at = now - 1;
    int fd = dup(others_copy);
    connection_put_back(second, &fd, now);
    fd = dup(others_copy);
    connection_put_back(first, &fd, now);
    ck_assert_ptr_eq(TAILQ_FIRST(&service->waiting), first);
    ck_assert_ptr_eq(TAILQ_NEXT(first, queue_link), second);
}
END_TEST

/* It was offered to a worker when the predecessor died, which had stored it. */
static struct worker *succeed(struct control_scene *next, uint64_t id)
{
    int copy = dup(others_copy);

    begin_scene(next);
    ck_assert_uint_eq(passed_on_take_over(&next->context, next->services, 1, scene.state), 1);
    struct worker *adopted = scene_add_worker(next, 0, 0, 4711);
    adopted->state = WORKER_ADOPTED;
    adopted->knows.pass = true;
    ck_assert(!passed_on_keep_copy(next->services[0], id + 1, &copy, STORED_WAIT));
    ck_assert(passed_on_keep_copy(next->services[0], id, &copy, STORED_WAIT));
    ck_assert_int_eq(copy, -1);
    return adopted;
}

START_TEST(test_what_an_adopted_worker_put_off_waits)
{
    struct control_scene next;
    uint64_t id = hand_off()->id;
    struct worker *adopted = succeed(&next, id);

    ck_assert(!passed_on_put_back(adopted, id + 1, NULL, now));
    ck_assert(passed_on_put_back(adopted, id, NULL, now));
    ck_assert_uint_eq(next.services[0]->pool->n_waiting, 1);
    ck_assert_uint_eq(next.services[0]->pool->n_passed_on, 0);
    ck_assert_int_ge(TAILQ_FIRST(&next.services[0]->waiting)->fd, 0);
    end_scene(&next);
}
END_TEST

/* Or a worker could have another's client served a second time. */
START_TEST(test_an_adopted_worker_speaks_of_no_others)
{
    struct control_scene next;
    uint64_t id = hand_off()->id;
    struct worker *adopted = succeed(&next, id);
    struct worker *liar = scene_add_worker(&next, 0, 1, 4712);
    int fd = dup(others_copy);

    liar->state = WORKER_ADOPTED;
    liar->knows.pass = true;
    ck_assert(!passed_on_put_back(liar, id, NULL, now));
    ck_assert(!passed_on_put_back(liar, id, &fd, now));
    ck_assert_ptr_null(passed_on_take_up(liar, id));
    ck_assert_uint_eq(next.services[0]->pool->n_waiting, 0);
    ck_assert_ptr_nonnull(passed_on_take_up(adopted, id));
    fd_close(fd);
    end_scene(&next);
}
END_TEST

/* It ends before it answers, and had written that it does not want it. */
START_TEST(test_last_words_of_an_adopted_worker_count)
{
    struct {
        struct message_header header;
        uint64_t id;
    } packet = {{MESSAGE_PUT_OFF, 1}, 0};
    struct control_scene next;
    int pair[2];

    packet.id = hand_off()->id;
    struct worker *adopted = succeed(&next, packet.id);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    fd_close(adopted->channel);
    adopted->channel = pair[0];
    ck_assert_int_eq(channel_send(pair[1], &packet, sizeof(packet), NULL, 0), 0);
    fd_close(pair[1]);
    news_take_last_words(adopted);
    ck_assert_uint_eq(next.services[0]->pool->n_waiting, 1);
    ck_assert_uint_eq(next.services[0]->pool->n_passed_on, 0);
    end_scene(&next);
}
END_TEST

/* Its predecessor may have had no record of it. */
START_TEST(test_what_an_adopted_worker_puts_back_may_be_unknown)
{
    alignas(8) uint8_t bytes[256];
    const struct connection_record record = {.id = 12345};
    struct message message;
    int fd = accept_client();

    size_t length =
        message_write_connection(bytes, sizeof(bytes), MESSAGE_PUT_BACK, &record, "", "");
    ck_assert_int_eq(message_read(bytes, length, &message), 0);
    ck_assert(!news_take_put_back(worker, &message, &fd));
    worker->state = WORKER_ADOPTED;
    ck_assert(news_take_put_back(worker, &message, &fd));
    ck_assert_int_ge(fd, 0);
    ck_assert_uint_eq(service->pool->n_waiting, 0);
    worker->state = WORKER_READY;
    fd_close(fd);
}
END_TEST

/* The predecessor had no time to take it out of the store. */
START_TEST(test_what_an_adopted_worker_has_does_not_wait)
{
    alignas(8) uint8_t bytes[256];
    int fd = accept_client();
    struct connection *connection = connection_new(service, &fd, now);
    const struct connection_record record = {.id = connection->id, .accepted_at_usec = UINT64_MAX};
    struct message message;

    connection->is_readmitted = true;
    connection_readmit(connection, now);
    ck_assert_uint_eq(service->pool->n_waiting, 1);
    size_t length = message_write_connection(bytes, sizeof(bytes), MESSAGE_HELD, &record, "", "");
    ck_assert_int_eq(message_read(bytes, length, &message), 0);
    ck_assert_ptr_null(greeting_take_held(worker, &message));
    ck_assert_uint_eq(service->pool->n_waiting, 0);
    ck_assert_uint_eq(worker->n_held, 1);
    ck_assert_uint_le(worker->held[0]->accepted_at, time_now_usec(CLOCK_MONOTONIC));
}
END_TEST

/* It would be counted for one client, and not counted any more for the other. */
START_TEST(test_a_record_knows_the_client_better_than_the_worker)
{
    alignas(8) uint8_t bytes[256];
    struct control_scene next;
    const struct connection_record record = {.id = hand_off()->id,
                                             .peer = {.family = AF_INET, .bytes = {192, 0, 2, 99}}};
    struct message message;
    struct worker *adopted = succeed(&next, record.id);

    size_t length = message_write_connection(bytes, sizeof(bytes), MESSAGE_HELD, &record, "", "");
    ck_assert_int_eq(message_read(bytes, length, &message), 0);
    ck_assert_ptr_null(greeting_take_held(adopted, &message));
    ck_assert_uint_eq(adopted->n_held, 1);
    ck_assert_int_eq(adopted->held[0]->peer.bytes[3], 7);
    end_scene(&next);
}
END_TEST

START_TEST(test_what_an_adopted_worker_has_needs_no_copy)
{
    struct control_scene next;
    uint64_t id = hand_off()->id;
    struct connection *connection = passed_on_take_up(succeed(&next, id), id);

    ck_assert_int_eq(connection->fd, -1);
    ck_assert_uint_eq(next.services[0]->pool->n_active, 1);
    end_scene(&next);
}
END_TEST

/* Until it has answered, the copy is kept; as long as there is one the kernel would not tell. */
START_TEST(test_what_an_adopted_worker_does_not_mention_was_passed_on)
{
    struct control_scene next;
    struct connection *old = hand_off();
    struct worker *adopted = succeed(&next, old->id);
    const struct connection *connection = passed_on_connection(next.services[0], 0);

    others_copy = fd_close(others_copy);
    uint64_t asked_at = connection->asked_at;
    while (connection->asked_at == asked_at)
        ck_assert_int_gt(sd_event_run(next.context.event, LIMIT_USEC), 0);
    ck_assert_int_ge(connection->fd, 0);
    adopted->state = WORKER_READY;
    connection_activate(old, now); /* closes the predecessor's copy */
    await_end(&next);
    end_scene(&next);
}
END_TEST

START_TEST(test_a_service_that_is_freed_leaves_no_record)
{
    struct connection *connection = activate();
    const struct passed_record *record = connection->record;

    passed_on_begin(connection, now);
    passed_on_leave(service);
    ck_assert_uint_eq(record->id, 0);
    ck_assert_uint_eq(service->pool->n_passed_on, 0);
}
END_TEST

SUITE("passed_on", set_up, tear_down, test_a_record_is_there_before_the_worker_has_it,
      test_what_comes_back_or_ends_has_no_record,
      test_a_worker_that_passes_nothing_on_has_no_records,
      test_it_is_over_when_the_other_program_closes_it,
      test_without_a_record_it_ends_when_it_is_passed_on,
      test_the_end_of_a_worker_ends_what_it_had_not_passed_on,
      test_the_end_of_a_worker_does_not_end_what_it_had_passed_on,
      test_without_a_record_the_end_of_a_worker_breaks_it, test_a_successor_goes_on_watching,
      test_an_adopted_worker_takes_up_what_it_still_has, test_a_connection_comes_back_from_a_worker,
      test_connections_come_back_to_where_they_waited, test_what_an_adopted_worker_put_off_waits,
      test_an_adopted_worker_speaks_of_no_others, test_last_words_of_an_adopted_worker_count,
      test_what_an_adopted_worker_puts_back_may_be_unknown,
      test_what_an_adopted_worker_has_does_not_wait,
      test_a_record_knows_the_client_better_than_the_worker,
      test_what_an_adopted_worker_has_needs_no_copy,
      test_what_an_adopted_worker_does_not_mention_was_passed_on,
      test_a_service_that_is_freed_leaves_no_record)
