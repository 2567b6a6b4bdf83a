/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Everything that is sent to a worker, as the worker reads it. */
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/messages/orders.h"
#include "dispatcherd/worker/channel.h"
#include "dispatcherd/worker/life.h"
#include "protocol/channel.h"
#include "protocol/connection_id.h"
#include "support/suite.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONFIGURATION                                                                              \
    "[SERVICE=TEST]\nPORT=25\nIMAGE=/bin/true\nMAX_CONNS=20\nMAX_LIFE_CONNS=77\nDEBUG=16%4\n"      \
    "PARAMETER=DOMAIN=example.org\nPARAMETER=SIZE=1\n"

static struct control_scene scene;
static struct service *service;
static struct worker *worker;
static int theirs;
static alignas(8) uint8_t bytes[MESSAGE_BYTES_MAX];
static struct message message;
static int fds[MESSAGE_FDS_MAX];
static size_t n_fds;

static void begin(const char *configuration)
{
    int pair[2];

    scene_init(&scene, configuration);
    scene.context.stop_limit_sec = 123;
    scene.context.host_name = "mx1";
    service = scene.services[0];
    worker = scene_add_worker(&scene, 0, 0, 4711);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                     0);
    worker->channel = pair[0];
    theirs = pair[1];
    ck_assert_int_eq(worker_channel_watch(worker), 0);
}

static void set_up(void)
{
    theirs = -1;
}

static void tear_down(void)
{
    fd_close(theirs);
    scene_clear(&scene);
}

/* Returns the type of the next message; 0: there is none. */
static int hear(void)
{
    pid_t pid;
    ssize_t length = channel_receive(theirs, bytes, sizeof(bytes), fds, &n_fds, &pid);

    if (length == -EAGAIN)
        return 0;
    ck_assert_int_gt(length, 0);
    ck_assert_int_eq(message_read(bytes, (size_t)length, &message), 0);
    return message.type;
}

static void check_text(const char *name, const char *value)
{
    const char *found = message_find_text(&message, name);

    if (value)
        ck_assert_msg(found && strcmp(found, value) == 0, "%s is %s", name, found);
    else
        ck_assert_msg(!found, "%s is %s", name, found);
}

static int log_fd;

static int open_log(_unused_ struct worker *of)
{
    return log_fd;
}

/* That descriptor, which is closed, is a copy of the eventfd with this count. */
static void check_is_eventfd(int fd, uint64_t count)
{
    uint64_t number = 0;

    ck_assert_int_eq(read(fd, &number, sizeof(number)), sizeof(number));
    ck_assert_uint_eq(number, count);
    fd_close(fd);
}

START_TEST(test_welcome_has_what_a_worker_must_know)
{
    begin(CONFIGURATION);
    log_fd = -1;
    ck_assert_int_eq(order_welcome(worker, -1, open_log), 0);
    ck_assert_int_eq(hear(), MESSAGE_WELCOME);
    ck_assert_uint_eq(n_fds, 0);
    check_text("VERSION", "1");
    check_text("SERVICE", "TEST");
    check_text("SLOT", "0");
    check_text("MAX_CONNS", "20");
    check_text("MAX_LIFE_CONNS", "77");
    check_text("DEBUG", "4");
    check_text("DRAIN_LIMIT", "123");
    check_text("HOST_NAME", "mx1");
    check_text("RING", NULL);
    const char *text = NULL;
    unsigned n = 0;
    while ((text = message_next_text(&message, text)))
        if (strncmp(text, "PARAMETER=", 10) == 0)
            ck_assert_str_eq(text + 10, n++ == 0 ? "DOMAIN=example.org" : "SIZE=1");
    ck_assert_uint_eq(n, 2);
}
END_TEST

/* The ring comes first, and the log file after it. */
START_TEST(test_welcome_has_the_ring_and_the_log_file)
{
    begin(CONFIGURATION);
    int ring = eventfd(3, EFD_CLOEXEC);
    log_fd = eventfd(4, EFD_CLOEXEC);

    worker->ring.n_entries = 32;
    ck_assert_int_eq(order_welcome(worker, ring, open_log), 0);
    worker->ring.n_entries = 0;
    ck_assert_int_eq(hear(), MESSAGE_WELCOME);
    check_text("RING", "32");
    ck_assert_uint_eq(n_fds, 2);
    fd_close(ring);
    check_is_eventfd(fds[0], 3);
    check_is_eventfd(fds[1], 4);
}
END_TEST

static bool was_opened;

static int note_open(_unused_ struct worker *of)
{
    was_opened = true;
    return -1;
}

START_TEST(test_a_welcome_that_is_too_long_opens_no_log_file)
{
    static char host_name[MESSAGE_BYTES_MAX];

    begin(CONFIGURATION);
    memset(host_name, 'x', sizeof(host_name) - 1);
    scene.context.host_name = host_name;
    was_opened = false;
    ck_assert_int_eq(order_welcome(worker, -1, note_open), -EMSGSIZE);
    ck_assert(!was_opened);
    ck_assert_int_eq(hear(), 0);
}
END_TEST

START_TEST(test_an_adopted_worker_is_asked_with_a_number_if_it_knows_that)
{
    begin(CONFIGURATION);
    int ring = eventfd(5, EFD_CLOEXEC);

    ck_assert_int_eq(order_adoption(worker, -1), 0);
    ck_assert_int_eq(hear(), MESSAGE_ADOPT);
    check_text("VERSION", "1");
    check_text("NUMBER", NULL);
    check_text("RING", NULL);
    ck_assert_uint_eq(n_fds, 0);
    worker->awaited_answer = 99;
    worker->ring.n_entries = 16;
    ck_assert_int_eq(order_adoption(worker, ring), 0);
    worker->ring.n_entries = 0;
    ck_assert_int_eq(hear(), MESSAGE_ADOPT);
    check_text("NUMBER", "99");
    check_text("RING", "16");
    ck_assert_uint_eq(n_fds, 1);
    fd_close(ring);
    check_is_eventfd(fds[0], 5);
}
END_TEST

/* STOP is sent only to a worker that knows it, and only if it is to stop. */
START_TEST(test_drain_or_stop)
{
    begin(CONFIGURATION);
    worker->drain_limit_sec = 50;
    for (int i = 0; i < 4; i++) {
        worker->knows.stop = i & 1;
        worker->is_told_to_stop = i & 2;
        ck_assert_int_eq(order_drain(worker), 0);
        ck_assert_int_eq(hear(), i == 3 ? MESSAGE_STOP : MESSAGE_DRAIN);
        ck_assert_uint_eq(message.value, 50);
    }
    order_stray_drain(worker->channel, 60);
    ck_assert_int_eq(hear(), MESSAGE_DRAIN);
    ck_assert_uint_eq(message.value, 60);
}
END_TEST

START_TEST(test_values_and_a_descriptor)
{
    begin(CONFIGURATION);
    order_debug(worker);
    ck_assert_int_eq(hear(), MESSAGE_DEBUG);
    ck_assert_uint_eq(message.value, 4);
    for (unsigned i = 0; i < 2; i++) {
        order_stress(worker, i);
        ck_assert_int_eq(hear(), MESSAGE_STRESS);
        ck_assert_uint_eq(message.value, i);
    }
    int fd = eventfd(6, EFD_CLOEXEC);
    order_log(worker, fd);
    fd_close(fd);
    ck_assert_int_eq(hear(), MESSAGE_LOG);
    ck_assert_uint_eq(n_fds, 1);
    check_is_eventfd(fds[0], 6);
}
END_TEST

static void fill_channel(void)
{
    const uint64_t byte = 0;

    while (channel_send(worker->channel, &byte, sizeof(byte), NULL, 0) == 0)
        ;
}

static void empty_channel(void)
{
    while (recv(theirs, bytes, sizeof(bytes), 0) > 0)
        ;
}

START_TEST(test_a_full_channel_keeps_what_is_needed_later)
{
    uint32_t events = 0;

    begin(CONFIGURATION);
    worker_rest(worker, 60 * USEC_PER_SEC);
    fill_channel();
    ck_assert_int_eq(order_drain(worker), 0);
    order_stress(worker, true);
    order_debug_all(service);
    ck_assert_int_eq(sd_event_source_get_io_events(worker->channel_source, &events), 0);
    ck_assert_uint_eq(events, EPOLLIN | EPOLLOUT);
    ck_assert_uint_eq(worker->unsent_orders, ORDER_DRAIN | ORDER_STRESS | ORDER_DEBUG);
    ck_assert_uint_eq(orders_take_unsent(worker, ORDER_STRESS | ORDER_LOG), ORDER_STRESS);
    ck_assert_uint_eq(orders_take_unsent(worker, ORDER_STRESS), 0);
    empty_channel();
    /* The loop says that there is room. */
    ck_assert_int_ge(sd_event_run(scene.context.event, 0), 1);
    ck_assert_int_eq(hear(), MESSAGE_DRAIN);
    ck_assert_int_eq(hear(), MESSAGE_DEBUG);
    ck_assert_uint_eq(message.value, 4);
    ck_assert_int_eq(hear(), 0);
    ck_assert_uint_eq(worker->unsent_orders, 0);
    ck_assert_int_eq(sd_event_source_get_io_events(worker->channel_source, &events), 0);
    ck_assert_uint_eq(events, EPOLLIN);
    /* It rests all the same. */
    ck_assert(worker_in_pool(worker)->is_blocked);
}
END_TEST

/* One that was sent in the meantime is unsent no more. */
START_TEST(test_an_order_that_goes_out_is_not_sent_again)
{
    begin(CONFIGURATION);
    fill_channel();
    ck_assert_int_eq(order_drain(worker), 0);
    empty_channel();
    ck_assert_int_eq(order_drain(worker), 0);
    ck_assert_int_eq(hear(), MESSAGE_DRAIN);
    ck_assert_uint_eq(orders_take_unsent(worker, ORDER_DRAIN), 0);
}
END_TEST

START_TEST(test_a_closed_channel_is_an_error)
{
    begin(CONFIGURATION);
    theirs = fd_close(theirs);
    ck_assert_int_eq(order_drain(worker), -EPIPE);
    ck_assert_uint_eq(worker->unsent_orders, 0);
    ck_assert_int_eq(order_adoption(worker, -1), -EPIPE);
    log_fd = -1;
    ck_assert_int_eq(order_welcome(worker, -1, open_log), -EPIPE);
}
END_TEST

/* One that the worker has, with a descriptor. */
static struct connection *hand(const char *tag, const char *note)
{
    struct connection *connection = scene_add_connection(&scene, 0, NULL);

    connection_set_texts(connection, tag, note);
    connection->fd = eventfd(7, EFD_CLOEXEC);
    connection_hand_off(connection, worker, connection->accepted_at);
    return connection;
}

START_TEST(test_connections_come_with_all_that_is_known_of_them)
{
    struct connection_view view;
    size_t offset = 0;

    begin(CONFIGURATION);
    struct connection *connections[] = {hand("tag", "a note"), hand("", "")};
    connection_set_ends(connections[1], &connections[1]->peer, &connections[1]->local, true);
    ck_assert_int_eq(order_connections(worker, connections, 2), 2);
    ck_assert_int_eq(hear(), MESSAGE_CONNECTION);
    ck_assert_uint_eq(n_fds, 2);
    ck_assert(message_next_connection(&message, &offset, &view));
    ck_assert_uint_eq(view.record->id, connections[0]->id);
    ck_assert_uint_eq(view.record->accepted_at_usec, connections[0]->accepted_at);
    ck_assert(address_equal(&view.record->peer, &connections[0]->peer));
    ck_assert(address_equal(&view.record->local, &connections[0]->local));
    ck_assert_uint_eq(view.record->flags, 0);
    ck_assert_uint_eq(view.record->tag_length, 3);
    ck_assert_int_eq(memcmp(view.tag, "tag", 3), 0);
    ck_assert_uint_eq(view.record->note_length, 6);
    ck_assert_int_eq(memcmp(view.note, "a note", 6), 0);
    ck_assert(message_next_connection(&message, &offset, &view));
    ck_assert_uint_eq(view.record->id, connections[1]->id);
    ck_assert_uint_eq(view.record->flags, CONNECTION_FLAG_TLS);
    check_is_eventfd(fds[0], 7);
    check_is_eventfd(fds[1], 7);
}
END_TEST

START_TEST(test_a_packet_has_no_more_than_its_limit)
{
    struct connection *connections[MESSAGE_FDS_MAX + 1];

    begin(CONFIGURATION);
    for (unsigned i = 0; i < MESSAGE_FDS_MAX + 1; i++)
        connections[i] = hand("", "");
    ck_assert_int_eq(order_connections(worker, connections, MESSAGE_FDS_MAX + 1), MESSAGE_FDS_MAX);
    ck_assert_int_eq(hear(), MESSAGE_CONNECTION);
    ck_assert_uint_eq(n_fds, MESSAGE_FDS_MAX);
    ck_assert_uint_eq(message.value, MESSAGE_FDS_MAX);
    for (size_t i = 0; i < n_fds; i++)
        fd_close(fds[i]);
    fill_channel();
    ck_assert_int_eq(order_connections(worker, connections, 1), -EAGAIN);
}
END_TEST

/* Who uses a connection is said only to a worker that knows the message; a name that is known
 * already follows the connection. */
START_TEST(test_identity_follows_the_connection)
{
    char id[CONNECTION_ID_BYTES];
    struct connection_view view;
    size_t offset = 0;

    begin(CONFIGURATION);
    struct connection *connection = hand("", "");
    connection->ident_user = strdup("joe");
    order_identity(worker, connection);
    ck_assert_int_eq(hear(), 0);
    worker->knows.identity = true;
    ck_assert_int_eq(order_connections(worker, &connection, 1), 1);
    ck_assert_int_eq(hear(), MESSAGE_CONNECTION);
    ck_assert(message_next_connection(&message, &offset, &view));
    ck_assert_uint_eq(view.record->flags, CONNECTION_FLAG_IDENTITY);
    fd_close(fds[0]);
    ck_assert_int_eq(hear(), MESSAGE_IDENTITY);
    check_text("CONNECTION", connection_id_format(connection->id, id));
    check_text("USER", "joe");
    free(connection->ident_user);
    connection->ident_user = NULL;
    order_identity(worker, connection);
    ck_assert_int_eq(hear(), MESSAGE_IDENTITY);
    check_text("USER", NULL);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("orders");

    ADD_FIXTURE_TESTS(suite, "greeting", set_up, tear_down,
                      test_welcome_has_what_a_worker_must_know,
                      test_welcome_has_the_ring_and_the_log_file,
                      test_a_welcome_that_is_too_long_opens_no_log_file,
                      test_an_adopted_worker_is_asked_with_a_number_if_it_knows_that);
    ADD_FIXTURE_TESTS(suite, "orders", set_up, tear_down, test_drain_or_stop,
                      test_values_and_a_descriptor, test_a_full_channel_keeps_what_is_needed_later,
                      test_an_order_that_goes_out_is_not_sent_again,
                      test_a_closed_channel_is_an_error);
    ADD_FIXTURE_TESTS(suite, "connections", set_up, tear_down,
                      test_connections_come_with_all_that_is_known_of_them,
                      test_a_packet_has_no_more_than_its_limit,
                      test_identity_follows_the_connection);
    return suite;
}
