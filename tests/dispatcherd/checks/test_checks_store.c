/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Connections in the store: what their names tell, and what the service manager is told. */
#include "base/fd.h"
#include "base/macro.h"
#include "dispatcherd/checks/checks_store.h"
#include "dispatcherd/core/connection.h"
#include "dispatcherd/core/service.h"
#include "support/random.h"
#include "support/suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct address random_address(struct random_source *source)
{
    static const uint16_t families[] = {AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC};
    struct address address = {
        .family = families[random_between(source, 0, ELEMENTSOF(families) - 1)],
        .port = (uint16_t)random_next(source),
        .scope_id = (uint32_t)random_next(source),
    };

    for (size_t i = 0; i < sizeof(address.bytes); i++)
        address.bytes[i] = (uint8_t)random_next(source);
    return address;
}

static struct stored_name random_name(struct random_source *source)
{
    struct stored_name name = {
        .id = random_next(source),
        .is_tls = random_between(source, 0, 1) == 1,
        .peer = random_address(source),
        .local = random_address(source),
    };

    memset(name.unit_name, 's', random_between(source, 1, sizeof(name.unit_name) - 1));
    return name;
}

START_TEST(test_name_tells_all)
{
    struct random_source source = random_start();

    for (int i = 0; i < 1000; i++) {
        const struct stored_name name = random_name(&source);
        struct stored_name again;
        char text[STORE_NAME_MAX];

        stored_name_format(&name, text);
        ck_assert_ptr_null(strchr(text, ':'));
        ck_assert(stored_name_parse(text, &again));
        ck_assert_str_eq(again.unit_name, name.unit_name);
        ck_assert_uint_eq(again.id, name.id);
        ck_assert_int_eq(again.is_tls, name.is_tls);
        ck_assert(address_equal(&again.peer, &name.peer));
        ck_assert(address_equal(&again.local, &name.local));
    }
}
END_TEST

/* A name is refused, or is what we would write ourselves. */
START_TEST(test_other_names_are_refused)
{
    struct random_source source = random_start();

    for (int i = 0; i < 10000; i++) {
        const struct stored_name name = random_name(&source);
        char text[STORE_NAME_MAX], again[STORE_NAME_MAX];
        struct stored_name parsed;

        stored_name_format(&name, text);
        text[random_between(&source, 0, strlen(text) - 1)] = (char)random_between(&source, 0, 127);
        if (stored_name_parse(text, &parsed))
            ck_assert_str_eq(stored_name_format(&parsed, again), text);
    }
}
END_TEST

START_TEST(test_bad_names)
{
    static const char *const names[] = {
        "", "check", "check.", "check.1.smtp.1.0", "smtp", "worker.1.smtp.0", "dispatcherd.state.1",
    };
    struct stored_name name;
    char text[2 * STORE_NAME_MAX];

    for (size_t i = 0; i < ELEMENTSOF(names); i++)
        ck_assert(!stored_name_parse(names[i], &name));
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    memcpy(text, "check.1.", strlen("check.1."));
    ck_assert(!stored_name_parse(text, &name));
}
END_TEST

/* The store, with a socket in the place of the service manager */

#define N_CHECKS 100

static char folder[] = "/tmp/test_checks_store.XXXXXX";
static char path[64];
static int manager_fd;
static sd_event *event;
static struct checks_store *store;
static char unit_name[] = "smtp";
static struct service_options options = {.unit_name = unit_name};
static struct service service = {.options = &options};
static struct connection connections[N_CHECKS];
static struct stored_check checks[N_CHECKS];

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
    ck_assert_int_eq(checks_store_new(event, &store), 0);
    memset(checks, 0, sizeof(checks));
    for (size_t i = 0; i < N_CHECKS; i++)
        connections[i] = (struct connection){.service = &service, .id = i + 1, .fd = STDIN_FILENO};
}

static void teardown(void)
{
    checks_store_free(store);
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
        checks_store_enter(store, &checks[i], &connections[i]);
}

static void leave(size_t first, size_t n)
{
    for (size_t i = first; i < first + n; i++)
        checks_store_leave(store, &checks[i]);
}

START_TEST(test_those_that_wait_longest_are_stored)
{
    struct told told = {0};

    checks_store_open(store);
    enter_all();
    take(&told);
    ck_assert_uint_eq(told.n_added, 0); /* not at once */
    run_until(&told, CHECKS_STORED_MAX, 0);
    for (size_t i = 0; i < N_CHECKS; i++)
        ck_assert_int_eq(checks[i].state, i < CHECKS_STORED_MAX ? STORED : STORED_WAITING);
    leave(0, 10);
    run_until(&told, CHECKS_STORED_MAX + 10, 10);
    ck_assert_uint_eq(told.n_added, CHECKS_STORED_MAX + 10);
    leave(0, N_CHECKS);
    run_until(&told, 0, CHECKS_STORED_MAX + 10);
    ck_assert_uint_eq(told.n_added, told.n_removed);
}
END_TEST

START_TEST(test_nothing_is_lost_when_the_manager_is_busy)
{
    struct told told = {0};

    checks_store_open(store);
    enter_all();
    run_until(&told, CHECKS_STORED_MAX, 0);
    /* Its queue holds fewer messages than this (net.unix.max_dgram_qlen), or all: both are well. */
    leave(0, N_CHECKS);
    run_until(&told, 0, CHECKS_STORED_MAX);
    ck_assert_uint_eq(told.n_removed, told.n_added);
}
END_TEST

START_TEST(test_nothing_is_stored_where_there_is_no_successor)
{
    struct told told = {0};

    enter_all();
    ck_assert(!checks_store_keep(store, &checks[0]));
    leave(0, N_CHECKS);
    take(&told);
    ck_assert_uint_eq(told.n_added + told.n_removed, 0);
}
END_TEST

START_TEST(test_who_leaves_keeps_what_waits)
{
    struct told told = {0};

    checks_store_open(store);
    checks_store_adopt(store, &checks[0], &connections[0]);
    checks_store_enter(store, &checks[1], &connections[1]);
    ck_assert(checks_store_keep(store, &checks[0]));
    ck_assert(checks_store_keep(store, &checks[1]));
    ck_assert(!checks_store_keep(store, &checks[2]));
    leave(0, 3);
    take(&told);
    ck_assert_uint_eq(told.n_added, 1);
    ck_assert_uint_eq(told.n_removed, 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("checks_store");
    TCase *tcase = tcase_create("store");

    ADD_TESTS(suite, "name", test_name_tells_all, test_other_names_are_refused, test_bad_names);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_those_that_wait_longest_are_stored);
    tcase_add_test(tcase, test_nothing_is_lost_when_the_manager_is_busy);
    tcase_add_test(tcase, test_nothing_is_stored_where_there_is_no_successor);
    tcase_add_test(tcase, test_who_leaves_keeps_what_waits);
    suite_add_tcase(suite, tcase);
    return suite;
}
