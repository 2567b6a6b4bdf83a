/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which workers of a predecessor are taken over, and what they are told. */
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/adopt.h"
#include "dispatcherd/config/fingerprint.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/process/spawner.h"
#include "dispatcherd/report/events.h"
#include "protocol/channel.h"
#include "support/suite.h"

#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    STORED_MAX = 4,
    NO_MORE_THAN_SEC = 86400
};

static struct control_scene scene;
static struct service *service;
static struct state *old;
static struct inherited_fd items[STORED_MAX];
static struct inherited inherited;
static int theirs[STORED_MAX];
static char last_line[1024];
static alignas(8) uint8_t bytes[256];
static struct message message;

static void take(_unused_ struct follower *follower, json_t *event)
{
    snprintf(last_line, sizeof(last_line), "%s", json_string_value(json_object_get(event, "text")));
}

static struct follower follower = {.take = take};

static void set_up(void)
{
    scene_init(&scene, "[SERVICE=SMTP]\nPORT=25\nIMAGE=/bin/true\nMAX_PROCS=4\nMAX_CONNS=8\n");
    scene.context.spawner = &spawner_unit;
    service = scene.services[0];
    ck_assert_int_eq(state_new(&old), 0);
    inherited = (struct inherited){.items = items};
    last_line[0] = '\0';
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    for (size_t i = 0; i < inherited.n_items; i++) {
        fd_close(theirs[i]);
        fd_close(items[i].fd);
        free(items[i].name);
    }
    state_free(old);
    scene_clear(&scene);
}

static void leave_behind(const char *name)
{
    size_t i = inherited.n_items++;
    int pair[2];

    ck_assert_uint_lt(i, STORED_MAX);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                     0);
    items[i] = (struct inherited_fd){.fd = pair[0], .name = strdup(name)};
    theirs[i] = pair[1];
}

/* The predecessor's state has a ready worker in that slot, which was started with other options if
 * `is_changed`. */
static struct service_state *remember(unsigned slot, bool is_changed)
{
    struct service_state *state = state_claim(old, "smtp");
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    ck_assert_ptr_nonnull(state);
    pool_worker_started(&state->pool, slot, now - 100 * USEC_PER_SEC);
    pool_worker_ready(&state->pool, slot, 5, now - 99 * USEC_PER_SEC);
    state->fingerprints[slot] = fingerprint_of(service->options) ^ (uint64_t)is_changed << 32;
    return state;
}

static unsigned adopt(const struct state *from)
{
    return adopt_workers(scene.services, scene.n_services, &inherited, from);
}

/* Returns the type of the next message; 0: there is none; -1: the daemon has closed the channel. */
static int hear(size_t i)
{
    int fds[MESSAGE_FDS_MAX];
    size_t n_fds;
    pid_t pid;
    ssize_t length = channel_receive(theirs[i], bytes, sizeof(bytes), fds, &n_fds, &pid);

    if (length == -EAGAIN)
        return 0;
    if (length == 0)
        return -1;
    ck_assert_int_gt(length, 0);
    for (size_t j = 0; j < n_fds; j++)
        fd_close(fds[j]);
    ck_assert_int_eq(message_read(bytes, (size_t)length, &message), 0);
    return message.type;
}

START_TEST(test_a_worker_keeps_its_slot_and_is_asked_what_it_holds)
{
    leave_behind("w1.smtp.2.sa");
    remember(2, false);
    ck_assert_uint_eq(adopt(old), 1);
    const struct worker *worker = service->workers[2];
    ck_assert_ptr_nonnull(worker);
    ck_assert_int_eq(items[0].fd, -1);
    ck_assert_int_eq(worker->state, WORKER_ADOPTED);
    ck_assert_int_eq(worker->start_reason, REASON_ADOPTED);
    ck_assert(worker->is_stored);
    ck_assert(worker->knows.stop && worker->knows.answer && !worker->knows.ring);
    ck_assert_uint_eq(worker->n_places, 5);
    ck_assert_int_eq(service->pool->workers[2].state, POOL_WORKER_STARTING);
    ck_assert(!service->pool->workers[2].is_outdated);
    ck_assert_ptr_nonnull(worker->channel_source);
    ck_assert_int_eq(hear(0), MESSAGE_ADOPT);
    const char *number = message_find_text(&message, "NUMBER");
    ck_assert_ptr_nonnull(number);
    ck_assert_uint_eq(strtoull(number, NULL, 10), worker->awaited_answer);
    ck_assert_ptr_null(message_find_text(&message, "RING"));
}
END_TEST

START_TEST(test_one_with_a_ring_gets_another)
{
    leave_behind("w1.smtp.0.r");
    remember(0, false);
    ck_assert_uint_eq(adopt(old), 1);
    ck_assert_int_eq(hear(0), MESSAGE_ADOPT);
    ck_assert_ptr_nonnull(message_find_text(&message, "RING"));
    ck_assert_ptr_null(message_find_text(&message, "NUMBER"));
    ck_assert_ptr_nonnull(service->workers[0]->ring.memory);
}
END_TEST

START_TEST(test_one_that_was_started_with_other_options_is_outdated)
{
    leave_behind("w1.smtp.1.s");
    remember(1, true);
    ck_assert_uint_eq(adopt(old), 1);
    ck_assert(service->pool->workers[1].is_outdated);
    ck_assert_uint_eq(service->state->fingerprints[1],
                      fingerprint_of(service->options) ^ UINT64_C(1) << 32);
}
END_TEST

/* Then nothing is known of it but its channel's name: it serves on, and is replaced. */
START_TEST(test_without_the_state_workers_are_adopted_and_outdated)
{
    leave_behind("w1.smtp.1.s");
    ck_assert_uint_eq(adopt(NULL), 1);
    ck_assert(service->pool->workers[1].is_outdated);
    ck_assert_uint_eq(service->workers[1]->n_places, MESSAGE_IDS_MAX);
    ck_assert_int_eq(hear(0), MESSAGE_ADOPT);
}
END_TEST

static void check_is_let_drain(size_t i, const char *why)
{
    ck_assert_ptr_nonnull(strstr(last_line, why));
    ck_assert_int_eq(hear(i), MESSAGE_DRAIN);
    ck_assert_uint_eq(message.value, NO_MORE_THAN_SEC);
    ck_assert_int_eq(hear(i), -1);
}

START_TEST(test_those_without_a_place_finish_by_themselves)
{
    leave_behind("w1.pop3.0.s");
    ck_assert_uint_eq(adopt(old), 0);
    check_is_let_drain(0, "not taking over the worker in slot 0 of service pop3: its service no "
                          "longer exists; it finishes its sessions and exits");
    leave_behind("w2.smtp.0.s");
    ck_assert_uint_eq(adopt(old), 0);
    check_is_let_drain(1, "it speaks another version of the protocol");
    ck_assert_ptr_null(service->workers[0]);
}
END_TEST

START_TEST(test_a_slot_has_one_worker)
{
    leave_behind("w1.smtp.3.s");
    leave_behind("w1.smtp.3.sl");
    ck_assert_uint_eq(adopt(old), 1);
    ck_assert_int_eq(hear(0), MESSAGE_ADOPT);
    check_is_let_drain(1, "its slot is in use");
}
END_TEST

START_TEST(test_what_is_no_channel_is_left_alone)
{
    leave_behind("dispatcherd.state.1");
    leave_behind("smtp");
    ck_assert_uint_eq(adopt(old), 0);
    ck_assert_int_ge(items[0].fd, 0);
    ck_assert_int_ge(items[1].fd, 0);
    ck_assert_int_eq(hear(0) + hear(1), 0);
}
END_TEST

/* It died with the predecessor. */
START_TEST(test_one_that_is_gone_is_given_up)
{
    leave_behind("w1.smtp.0.s");
    theirs[0] = fd_close(theirs[0]);
    ck_assert_uint_eq(adopt(old), 1);
    ck_assert_int_eq(service->workers[0]->state, WORKER_CLOSED);
    ck_assert_str_eq(service->workers[0]->lost_reason, "cannot be taken over");
}
END_TEST

SUITE("adopt", set_up, tear_down, test_a_worker_keeps_its_slot_and_is_asked_what_it_holds,
      test_one_with_a_ring_gets_another, test_one_that_was_started_with_other_options_is_outdated,
      test_without_the_state_workers_are_adopted_and_outdated,
      test_those_without_a_place_finish_by_themselves, test_a_slot_has_one_worker,
      test_what_is_no_channel_is_left_alone, test_one_that_is_gone_is_given_up)
