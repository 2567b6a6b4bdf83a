/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Connections in the store: what the service manager is told. */
#include "dispatcherd/core/connection.h"
#include "dispatcherd/core/connection_store.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/service.h"
#include "support/suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The store, with a socket in the place of the service manager */

#define N_CHECKS 100

static char folder[] = "/tmp/test_connection_store.XXXXXX";
static char path[64];
static int manager_fd;
static sd_event *event;
static struct context context;
static char unit_name[] = "smtp";
static struct service_options options = {.unit_name = unit_name};
static struct service service = {.context = &context, .options = &options};
static struct connection connections[N_CHECKS];

static void setup(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/notify", folder);
    strcpy(address.sun_path, path);
    manager_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(manager_fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", path, 1);
    ck_assert_int_ge(sd_event_new(&event), 0);
    ck_assert_int_eq(connection_store_new(event, &context.connection_store), 0);
    for (size_t i = 0; i < N_CHECKS; i++)
        connections[i] = (struct connection){.service = &service, .id = i + 1, .fd = STDIN_FILENO};
}

static void teardown(void)
{
    connection_store_free(context.connection_store);
    sd_event_unref(event);
    close(manager_fd);
    unlink(path);
    rmdir(folder);
    unsetenv("NOTIFY_SOCKET");
}

/* What the service manager was told since the last time. It takes messages as they come: a full
 * queue is tested by not calling this. */
struct told {
    unsigned n_added, n_removed;
};

static void take(struct told *told)
{
    char text[512];
    ssize_t n;

    while ((n = recv(manager_fd, text, sizeof(text) - 1, 0)) > 0) {
        text[n] = '\0';
        told->n_added += strncmp(text, "FDSTORE=1\nFDNAME=check.1.smtp.", 30) == 0;
        told->n_removed += strncmp(text, "FDSTOREREMOVE=1\nFDNAME=check.1.smtp.", 36) == 0;
    }
}

/* Runs the loop until so many were added and removed in all. The test's time limit ends it. */
static void run_until(struct told *told, unsigned n_added, unsigned n_removed)
{
    while (told->n_added < n_added || told->n_removed < n_removed) {
        ck_assert_int_ge(sd_event_run(event, 10000), 0);
        take(told);
    }
}

static void enter_all(void)
{
    for (size_t i = 0; i < N_CHECKS; i++)
        connection_store_enter(&connections[i], STORED_CHECK);
}

static void leave(size_t first, size_t n)
{
    for (size_t i = first; i < first + n; i++)
        connection_store_leave(&connections[i]);
}

START_TEST(test_those_that_wait_longest_are_stored)
{
    struct told told = {0};

    connection_store_open(context.connection_store, CONNECTIONS_STORED_MAX);
    enter_all();
    take(&told);
    ck_assert_uint_eq(told.n_added, 0); /* not at once */
    run_until(&told, CHECKS_STORED_MAX, 0);
    for (size_t i = 0; i < N_CHECKS; i++)
        ck_assert_int_eq(connections[i].stored.state,
                         i < CHECKS_STORED_MAX ? STORED : STORED_WAITING);
    leave(0, 10);
    run_until(&told, CHECKS_STORED_MAX + 10, 10);
    ck_assert_uint_eq(told.n_added, CHECKS_STORED_MAX + 10);
    leave(0, N_CHECKS);
    run_until(&told, 0, CHECKS_STORED_MAX + 10);
    ck_assert_uint_eq(told.n_added, told.n_removed);
}
END_TEST

/* Its name says that it was admitted, unless PORT_ACCESS has left something for its worker. */
START_TEST(test_one_that_came_back_is_stored_at_once)
{
    char text[512], tag[] = "tag";

    connection_store_open(context.connection_store, CONNECTIONS_STORED_MAX);
    connection_store_enter_now(&connections[0]);
    ck_assert_int_gt(recv(manager_fd, text, sizeof(text), 0), 0);
    ck_assert_int_eq(strncmp(text, "FDSTORE=1\nFDNAME=wait.1.smtp.1.", 31), 0);
    connections[1].tag = tag;
    connection_store_enter_now(&connections[1]);
    ck_assert_int_gt(recv(manager_fd, text, sizeof(text), 0), 0);
    ck_assert_int_eq(strncmp(text, "FDSTORE=1\nFDNAME=check.1.smtp.2", 31), 0);
    connections[1].tag = NULL;
}
END_TEST

START_TEST(test_nothing_is_lost_when_the_manager_is_busy)
{
    struct told told = {0};

    connection_store_open(context.connection_store, CONNECTIONS_STORED_MAX);
    enter_all();
    run_until(&told, CHECKS_STORED_MAX, 0);
    /* Its queue holds fewer messages than this (net.unix.max_dgram_qlen), or all: both are well. */
    leave(0, N_CHECKS);
    run_until(&told, 0, CHECKS_STORED_MAX);
    ck_assert_uint_eq(told.n_removed, told.n_added);
}
END_TEST

static void fill_queue(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, path);
    while (sendto(fd, "", 1, MSG_DONTWAIT, (const struct sockaddr *)&address, sizeof(address)) == 1)
        ;
    ck_assert_int_eq(errno, EAGAIN);
    close(fd);
}

/* Two entries would be two connections to a successor. */
START_TEST(test_what_was_stored_is_taken_out_before_it_is_stored_again)
{
    static const char added[] = "FDSTORE=1\nFDNAME=wait.1.smtp.1.";
    static const char removed[] = "FDSTOREREMOVE=1\nFDNAME=wait.1.smtp.1.";
    char text[512] = "";

    connection_store_open(context.connection_store, CONNECTIONS_STORED_MAX);
    connection_store_enter_now(&connections[0]);
    ck_assert_int_gt(recv(manager_fd, text, sizeof(text) - 1, 0), 0);
    ck_assert_int_eq(strncmp(text, added, strlen(added)), 0);
    connection_store_enter(&connections[1], STORED_WAIT);
    fill_queue();
    connection_store_leave(&connections[0]);
    ck_assert_int_ge(recv(manager_fd, text, 1, 0), 0);
    connection_store_enter_now(&connections[0]);
    for (bool is_removed = false; strncmp(text, added, strlen(added)) != 0;) {
        memset(text, 0, sizeof(text));
        if (recv(manager_fd, text, sizeof(text) - 1, 0) < 0)
            ck_assert_int_ge(sd_event_run(event, 10000), 0);
        is_removed |= strncmp(text, removed, strlen(removed)) == 0;
        ck_assert(is_removed || strncmp(text, added, strlen(added)) != 0);
    }
    ck_assert_int_eq(connections[0].stored.state, STORED);
    leave(0, 2);
}
END_TEST

/* Workers may still put off what they are being offered. */
START_TEST(test_what_is_left_stays_when_it_is_freed)
{
    struct told told = {0};

    connection_store_open(context.connection_store, CONNECTIONS_STORED_MAX);
    for (size_t i = 0; i < 2; i++)
        connection_store_adopt(&connections[i], STORED_CHECK);
    leave(0, 1);
    connection_store_left(context.connection_store);
    leave(1, 1);
    take(&told);
    ck_assert_uint_eq(told.n_removed, 1);
    ck_assert_int_eq(connections[1].stored.state, STORED_NOT);
}
END_TEST

START_TEST(test_nothing_is_stored_where_there_is_no_successor)
{
    struct told told = {0};

    enter_all();
    ck_assert(!connection_store_keep(&connections[0]));
    leave(0, N_CHECKS);
    take(&told);
    ck_assert_uint_eq(told.n_added + told.n_removed, 0);
}
END_TEST

START_TEST(test_who_leaves_keeps_what_waits)
{
    struct told told = {0};

    connection_store_open(context.connection_store, CONNECTIONS_STORED_MAX);
    connection_store_adopt(&connections[0], STORED_CHECK);
    connection_store_enter(&connections[1], STORED_CHECK);
    ck_assert(connection_store_keep(&connections[0]));
    ck_assert(connection_store_keep(&connections[1]));
    ck_assert(!connection_store_keep(&connections[2]));
    leave(0, 3);
    take(&told);
    ck_assert_uint_eq(told.n_added, 1);
    ck_assert_uint_eq(told.n_removed, 0);
}
END_TEST

SUITE("connection_store", setup, teardown, test_those_that_wait_longest_are_stored,
      test_one_that_came_back_is_stored_at_once, test_nothing_is_lost_when_the_manager_is_busy,
      test_what_was_stored_is_taken_out_before_it_is_stored_again,
      test_what_is_left_stays_when_it_is_freed, test_nothing_is_stored_where_there_is_no_successor,
      test_who_leaves_keeps_what_waits)
