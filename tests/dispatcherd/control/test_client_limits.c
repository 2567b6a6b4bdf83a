/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Who is let in at the control socket, and who gives way for whom. */
#include "base/fd.h"
#include "dispatcherd/control/client_limits.h"
#include "dispatcherd/control/peer.h"
#include "support/suite.h"

#include <sys/socket.h>

#define CLIENTS_MAX 128

static const struct control_caller root = {.uid = 0, .is_trusted = true};
static const struct control_caller page = {.uid = CONTROL_OVERFLOW_ID, .is_page = true};
static const struct control_caller anybody = {.uid = CONTROL_OVERFLOW_ID};
static const struct control_caller somebody = {.uid = 1000};
static const struct control_caller somebody_else = {.uid = 1001};

static struct control_client clients[CLIENTS_MAX];
static int others[CLIENTS_MAX]; /* their ends of the connections */
static unsigned n_clients;
static struct control_client_list list;

static void setup(void)
{
    TAILQ_INIT(&list);
    n_clients = 0;
}

static void teardown(void)
{
    for (unsigned i = 0; i < n_clients; i++) {
        fd_close(clients[i].fd);
        fd_close(others[i]);
    }
}

/* Adds `n` idle clients, each idle for a shorter time than the one before. */
static struct control_client *add(const struct control_caller *caller, unsigned n)
{
    struct control_client *first = &clients[n_clients];

    for (unsigned i = 0; i < n; i++, n_clients++) {
        int fds[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        clients[n_clients] = (struct control_client){
            .fd = fds[0],
            .caller = *caller,
            .moved_at = 1000 + n_clients,
        };
        others[n_clients] = fds[1];
        TAILQ_INSERT_TAIL(&list, &clients[n_clients], link);
    }
    return first;
}

/* A call lies in the kernel. */
static void make_busy(const struct control_client *client)
{
    ck_assert_int_eq(send(others[client - clients], "x", 1, 0), 1);
}

static void expect(const struct control_caller *caller, const struct control_client *victim)
{
    struct control_client *found;

    ck_assert(client_limits_find_room(&list, caller, &found));
    ck_assert_ptr_eq(found, victim);
}

START_TEST(test_nobody_gives_way_while_there_is_room)
{
    add(&root, CLIENT_LIMIT_TRUSTED - 1);
    add(&page, CLIENT_LIMIT_PAGE - 1);
    add(&anybody, CLIENT_LIMIT_STRANGERS - 1);
    expect(&root, NULL);
    expect(&page, NULL);
    expect(&anybody, NULL);
    expect(&somebody, NULL);
}
END_TEST

START_TEST(test_kinds_do_not_take_room_from_each_other)
{
    struct control_client *strangers = add(&anybody, CLIENT_LIMIT_STRANGERS);
    struct control_client *pages = add(&page, CLIENT_LIMIT_PAGE);

    expect(&root, NULL);
    expect(&anybody, &strangers[0]);
    expect(&page, &pages[0]);
}
END_TEST

START_TEST(test_the_longest_idle_gives_way)
{
    struct control_client *strangers = add(&anybody, CLIENT_LIMIT_STRANGERS);

    strangers[0].moved_at = 5000;
    make_busy(&strangers[1]);
    strangers[2].has_calls = true;
    expect(&anybody, &strangers[3]);
}
END_TEST

START_TEST(test_of_busy_ones_the_best_served_gives_way)
{
    struct control_client *strangers = add(&anybody, CLIENT_LIMIT_STRANGERS);

    for (unsigned i = 0; i < CLIENT_LIMIT_STRANGERS; i++) {
        make_busy(&strangers[i]);
        strangers[i].n_answered = 100 + i;
    }
    strangers[7].n_answered = 0; /* it has come just now */
    strangers[9].n_answered = 1000;
    expect(&anybody, &strangers[9]);
}
END_TEST

START_TEST(test_a_user_displaces_himself)
{
    add(&somebody_else, CLIENT_LIMIT_A_STRANGER - 1);
    struct control_client *his = add(&somebody, CLIENT_LIMIT_A_STRANGER);

    expect(&somebody, &his[0]);
    expect(&somebody_else, NULL);
    /* One that stands for many users may have all. */
    add(&anybody, CLIENT_LIMIT_A_STRANGER);
    expect(&anybody, NULL);
}
END_TEST

START_TEST(test_who_is_trusted_is_not_cut_off_in_a_call)
{
    struct control_client *found, *trusted = add(&root, CLIENT_LIMIT_TRUSTED);

    for (unsigned i = 0; i < CLIENT_LIMIT_TRUSTED; i++)
        trusted[i].follower.is_following = true;
    ck_assert(!client_limits_find_room(&list, &root, &found));
    make_busy(&trusted[3]);
    trusted[3].follower.is_following = false;
    ck_assert(!client_limits_find_room(&list, &root, &found));
    trusted[4].follower.is_following = false;
    expect(&root, &trusted[4]);
}
END_TEST

SUITE("client_limits", setup, teardown, test_nobody_gives_way_while_there_is_room,
      test_kinds_do_not_take_room_from_each_other, test_the_longest_idle_gives_way,
      test_of_busy_ones_the_best_served_gives_way, test_a_user_displaces_himself,
      test_who_is_trusted_is_not_cut_off_in_a_call)
