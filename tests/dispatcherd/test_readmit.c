/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Connections that waited while the predecessor ended. */
#include "access/tcp.h"
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/readmit.h"
#include "dispatcherd/store/stored_name.h"
#include "support/suite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    ITEMS_MAX = 600
};

static struct control_scene scene;
static struct service *service;
static struct inherited_fd items[ITEMS_MAX];
static struct inherited inherited;
static struct readmitted n;

static void begin(const char *options)
{
    char text[256];

    snprintf(text, sizeof(text), "[SERVICE=SMTP]\nPORT=25\nIMAGE=/bin/true\n%s", options);
    scene_init(&scene, text);
    scene_admit(&scene, "");
    service = scene.services[0];
    inherited = (struct inherited){.items = items};
}

static void tear_down(void)
{
    for (size_t i = 0; i < inherited.n_items; i++) {
        fd_close(items[i].fd);
        free(items[i].name);
    }
    scene_clear(&scene);
}

static void leave_item(const char *name, int fd)
{
    ck_assert_uint_lt(inherited.n_items, ITEMS_MAX);
    items[inherited.n_items++] = (struct inherited_fd){.fd = fd, .name = strdup(name)};
}

/* A connection of 192.0.2.7 to the service of that name. */
static struct stored_name leave_behind(enum stored_kind kind, const char *unit_name, uint64_t id)
{
    struct stored_name name = {.kind = kind, .id = id, .is_tls = id % 2, .accepted_at = 1000 + id};
    char text[STORE_NAME_MAX];

    strcpy(name.unit_name, unit_name);
    ck_assert_int_eq(address_parse("192.0.2.7", &name.peer), 0);
    ck_assert_int_eq(address_parse("192.0.2.1", &name.local), 0);
    name.peer.port = 4711;
    name.local.port = 25;
    leave_item(stored_name_format(&name, text), eventfd(0, EFD_CLOEXEC));
    return name;
}

static void readmit(void)
{
    readmit_stored(scene.services, scene.n_services, &inherited, &n);
    for (size_t i = 0; i < inherited.n_items; i++)
        ck_assert(items[i].fd == -1 || !stored_name_is_ours(items[i].name));
}

START_TEST(test_one_that_waited_waits_on_as_the_same)
{
    begin("");
    struct stored_name name = leave_behind(STORED_WAIT, "smtp", 71);
    readmit();
    ck_assert_uint_eq(n.n_waiting, 1);
    ck_assert_uint_eq(n.n_checks, 0);
    const struct connection *connection = TAILQ_FIRST(&service->waiting);
    ck_assert_ptr_nonnull(connection);
    ck_assert_uint_eq(connection->id, 71);
    ck_assert_uint_eq(connection->accepted_at, name.accepted_at);
    ck_assert(connection->is_readmitted);
    ck_assert(connection->is_tls);
    ck_assert(address_equal(&connection->peer, &name.peer));
    ck_assert(address_equal(&connection->local, &name.local));
    ck_assert_int_ge(connection->fd, 0);
    ck_assert_uint_eq(service->pool->n_waiting, 1);
}
END_TEST

/* It counts for its address again, so that the limit holds for those that come. */
START_TEST(test_one_that_waited_counts_for_its_address)
{
    uint32_t of_address, of_network;

    begin("MAX_CONNS_PER_ADDRESS=5\n");
    leave_behind(STORED_WAIT, "smtp", 71);
    leave_behind(STORED_WAIT, "smtp", 72);
    readmit();
    connection_count(TAILQ_FIRST(&service->waiting), &of_address, &of_network);
    ck_assert_uint_eq(of_address, 2);
}
END_TEST

START_TEST(test_unfinished_checks_begin_anew)
{
    begin("MAX_CONNS_PER_ADDRESS=1\n");
    leave_behind(STORED_CHECK, "smtp", 8);
    leave_behind(STORED_CHECK, "smtp", 9);
    readmit();
    ck_assert_uint_eq(n.n_checks, 2);
    ck_assert_uint_eq(service->pool->n_waiting, 1);
    ck_assert_uint_eq(TAILQ_FIRST(&service->waiting)->id, 8);
    ck_assert_uint_eq(service->statistics->n_rejected[REJECTED_FOR_ADDRESS], 1);
}
END_TEST

START_TEST(test_one_of_a_service_that_is_gone_is_closed)
{
    begin("");
    leave_behind(STORED_WAIT, "pop3", 71);
    readmit();
    ck_assert_uint_eq(n.n_waiting + n.n_checks, 0);
    ck_assert_int_eq(items[0].fd, -1);
}
END_TEST

/* Nobody else would ever take it out of the store. */
START_TEST(test_one_of_another_version_is_closed)
{
    begin("");
    leave_item("wait.9.smtp.whatever", eventfd(0, EFD_CLOEXEC));
    readmit();
    ck_assert_uint_eq(n.n_waiting + n.n_checks, 0);
    ck_assert_int_eq(items[0].fd, -1);
}
END_TEST

START_TEST(test_what_is_no_connection_is_left_alone)
{
    begin("");
    leave_item("dispatcherd.state.1", eventfd(0, EFD_CLOEXEC));
    leave_item("w1.smtp.0.s", eventfd(0, EFD_CLOEXEC));
    readmit();
    ck_assert_int_ge(items[0].fd, 0);
    ck_assert_int_ge(items[1].fd, 0);
}
END_TEST

START_TEST(test_there_is_a_limit)
{
    begin("");
    for (unsigned i = 0; i < CONNECTIONS_LEFT_MAX + 10; i++)
        leave_behind(STORED_WAIT, "smtp", 100 + i);
    readmit();
    ck_assert_uint_eq(n.n_waiting, CONNECTIONS_LEFT_MAX);
    ck_assert_uint_eq(service->pool->n_waiting, CONNECTIONS_LEFT_MAX);
}
END_TEST

SUITE("readmit", NULL, tear_down, test_one_that_waited_waits_on_as_the_same,
      test_one_that_waited_counts_for_its_address, test_unfinished_checks_begin_anew,
      test_one_of_a_service_that_is_gone_is_closed, test_one_of_another_version_is_closed,
      test_what_is_no_connection_is_left_alone, test_there_is_a_limit)
