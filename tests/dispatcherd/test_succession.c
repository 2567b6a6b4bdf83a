/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a daemon makes of what its predecessor has left, and what it leaves itself: with a service
 * manager that the test plays. */
#include "access/tcp.h"
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/checks/decisions_store.h"
#include "dispatcherd/checks/throttle_store.h"
#include "dispatcherd/manager_scene.h"
#include "dispatcherd/store/played_systemd.h"
#include "dispatcherd/store/store.h"
#include "dispatcherd/succession.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define SMTP "[SERVICE=SMTP]\nPORT=2525\nIMAGE=/bin/true\nMIN_PROCS=0\nMAX_PROCS=2\nMAX_CONNS=4\n"

enum {
    ITEMS_MAX = 8,
    MESSAGES_MAX = 16
};

static struct manager_scene scene;
static struct manager *manager;
static struct inherited_fd items[ITEMS_MAX];
static struct inherited inherited;
static char messages[MESSAGES_MAX][PLAYED_TEXT_MAX]; /* to the service manager */
static unsigned n_messages;

static void set_up(void)
{
    played_systemd_start();
    manager_scene_start(&scene, SMTP, NULL);
    manager = &scene.manager;
    inherited = (struct inherited){.items = items};
    n_messages = 0;
}

static void tear_down(void)
{
    for (size_t i = 0; i < inherited.n_items; i++) {
        fd_close(items[i].fd);
        free(items[i].name);
    }
    manager_scene_end(&scene);
    played_systemd_end();
}

static void leave_behind(const char *name, int fd)
{
    ck_assert_uint_lt(inherited.n_items, ITEMS_MAX);
    ck_assert_int_ge(fd, 0);
    items[inherited.n_items++] = (struct inherited_fd){.fd = fd, .name = strdup(name)};
}

static int copy_of(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* A memfd as one that the daemon has sealed, of that size and all zero. */
static int make_memory(size_t size)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    return fd;
}

static void take_over(void)
{
    int fd;

    succession_take_over(manager, &inherited);
    while (n_messages < MESSAGES_MAX && played_systemd_hears(messages[n_messages], &fd)) {
        n_messages++;
        fd_close(fd);
    }
}

/* The number of the message with this text; -1: there is none. */
static int message_with(const char *text)
{
    for (unsigned i = 0; i < n_messages; i++)
        if (strstr(messages[i], text))
            return (int)i;
    return -1;
}

START_TEST(test_a_first_start_stores_what_a_successor_will_need)
{
    take_over();
    ck_assert_int_ge(message_with("FDNAME=dispatcherd.state.1"), 0);
    ck_assert_int_ge(message_with("FDNAME=dispatcherd.throttle.1"), 0);
    ck_assert_int_ge(message_with("FDNAME=dispatcherd.decisions.1"), 0);
    ck_assert_int_eq(message_with("FDSTOREREMOVE"), -1);
    ck_assert_str_eq(scene.lines, "");
}
END_TEST

/* In this order: if the daemon dies in between, one of them is there. */
START_TEST(test_the_new_state_is_stored_before_the_old_one_is_removed)
{
    struct state *old;

    ck_assert_int_eq(state_new(&old), 0);
    leave_behind("dispatcherd.state.7", copy_of(state_fd(old)));
    state_free(old);
    take_over();
    int added = message_with("FDNAME=dispatcherd.state.8");
    int removed = message_with("FDNAME=dispatcherd.state.7");
    ck_assert_int_ge(added, 0);
    ck_assert_int_gt(removed, added);
    ck_assert_ptr_nonnull(strstr(messages[removed], "FDSTOREREMOVE=1"));
}
END_TEST

START_TEST(test_counts_and_identifiers_go_on)
{
    struct state *old;

    ck_assert_int_eq(state_new(&old), 0);
    struct service_state *of = state_claim(old, "smtp");
    statistics_start(&of->statistics, time_now_usec(CLOCK_MONOTONIC));
    for (unsigned i = 0; i < 42; i++)
        statistics_count_accepted(&of->statistics);
    *state_next_connection_id(old) = 4711;
    leave_behind("dispatcherd.state.7", copy_of(state_fd(old)));
    take_over();
    state_free(old);
    ck_assert_uint_eq(manager->services[0]->statistics->n_accepted, 42);
    ck_assert_uint_eq(context_new_connection_id(&manager->context), 4711);
    ck_assert_str_eq(scene.lines, "");
}
END_TEST

/* Of an older version, for instance. */
START_TEST(test_a_state_that_cannot_be_read_is_replaced)
{
    leave_behind("dispatcherd.state.7", make_memory(4096));
    take_over();
    ck_assert_uint_eq(manager->services[0]->statistics->n_accepted, 0);
    ck_assert(manager_scene_has_logged(&scene,
                                       "cannot read the statistics of the previous dispatcherd ("));
    ck_assert_int_ge(message_with("FDNAME=dispatcherd.state.8"), 0);
    ck_assert_int_ge(message_with("FDNAME=dispatcherd.state.7"), 0);
}
END_TEST

START_TEST(test_a_source_that_was_throttled_is_throttled)
{
    static const struct siphash_key key = {{1, 2}};
    static const struct address client = {.family = AF_INET, .bytes = {192, 0, 2, 9}};
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    size_t size = throttle_size(THROTTLE_KEYS_MAX);
    int fd = make_memory(size);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    ck_assert_ptr_ne(memory, MAP_FAILED);
    struct throttle *throttle = throttle_format(memory, THROTTLE_KEYS_MAX, &key);
    ck_assert(!throttle_is_over(throttle, THROTTLE_PLAIN, &client, 1, now));
    ck_assert_int_eq(munmap(memory, size), 0);
    leave_behind("dispatcherd.throttle.3", fd);
    take_over();
    ck_assert(
        throttle_is_over(manager->context.admission->throttle, THROTTLE_PLAIN, &client, 1, now));
    ck_assert_int_eq(message_with("dispatcherd.throttle."), -1);
    ck_assert_str_eq(scene.lines, "");
}
END_TEST

START_TEST(test_unusable_tables_are_made_anew_and_leave_the_store)
{
    leave_behind("dispatcherd.throttle.3", make_memory(100));
    leave_behind("dispatcherd.decisions.5", make_memory(100));
    take_over();
    ck_assert(manager_scene_has_logged(
        &scene, "cannot read the throttle counts of the previous dispatcherd; "
                "they start from zero"));
    ck_assert(manager_scene_has_logged(&scene,
                                       "cannot read the decisions of the previous dispatcherd; "
                                       "\"dispatcherctl explain\" starts without them"));
    ck_assert_int_ge(message_with("FDNAME=dispatcherd.throttle.3"), 0);
    ck_assert_int_gt(message_with("FDNAME=dispatcherd.throttle.4"),
                     message_with("FDNAME=dispatcherd.throttle.3"));
    ck_assert_int_ge(message_with("FDNAME=dispatcherd.decisions.6"), 0);
    ck_assert_ptr_nonnull(manager->context.admission->throttle);
}
END_TEST

START_TEST(test_workers_and_waiting_connections_are_taken_over)
{
    int pair[2], client, server;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                     0);
    tcp_pair(&client, &server);
    leave_behind("w1.smtp.0.s", pair[0]);
    struct stored_name name = {.kind = STORED_WAIT, .unit_name = "smtp", .id = 99};
    char text[STORE_NAME_MAX];
    ck_assert_int_eq(address_parse("192.0.2.7", &name.peer), 0);
    ck_assert_int_eq(address_parse("192.0.2.1", &name.local), 0);
    leave_behind(stored_name_format(&name, text), server);
    take_over();
    ck_assert_ptr_nonnull(manager->services[0]->workers[0]);
    ck_assert_uint_eq(manager->services[0]->pool->n_waiting, 1);
    ck_assert(manager_scene_has_logged(&scene, "taking over 1 worker\n"));
    ck_assert(
        manager_scene_has_logged(&scene, "taking over 1 connection that waits for a worker\n"));
    fd_close(pair[1]);
    fd_close(client);
}
END_TEST

/* Without a service manager that would start a successor. */
START_TEST(test_by_hand_there_is_no_successor)
{
    take_over();
    ck_assert(!manager->has_successor_store);
}
END_TEST

START_TEST(test_as_a_unit_there_is_a_successor)
{
    manager->context.spawner = &spawner_unit;
    take_over();
    ck_assert(manager->has_successor_store);
    ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
    take_over();
    ck_assert(!manager->has_successor_store);
}
END_TEST

SUITE("succession", set_up, tear_down, test_a_first_start_stores_what_a_successor_will_need,
      test_the_new_state_is_stored_before_the_old_one_is_removed, test_counts_and_identifiers_go_on,
      test_a_state_that_cannot_be_read_is_replaced, test_a_source_that_was_throttled_is_throttled,
      test_unusable_tables_are_made_anew_and_leave_the_store,
      test_workers_and_waiting_connections_are_taken_over, test_by_hand_there_is_no_successor,
      test_as_a_unit_there_is_a_successor)
