/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "base/time.h"
#include "dispatcherd/loop.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

static int on_time(sd_event_source *source, _unused_ uint64_t usec, _unused_ void *userdata)
{
    return sd_event_exit(sd_event_source_get_event(source), 7);
}

/* A loop that ends by itself, if it can wait at all. */
static sd_event *new_event(void)
{
    sd_event *event;

    ck_assert_int_ge(sd_event_new(&event), 0);
    ck_assert_int_ge(
        sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, 1000, 0, on_time, NULL), 0);
    return event;
}

/* Waiting fails from now on. Returns what makes it work again. */
static int break_event(sd_event *event)
{
    int fd = sd_event_get_fd(event), working = dup(fd), null = open("/dev/null", O_RDONLY);

    ck_assert_int_ge(working, 0);
    ck_assert_int_eq(dup2(null, fd), fd);
    close(null);
    return working;
}

struct repair {
    int working, fd;
};

static void *repair_soon(void *userdata)
{
    const struct repair *repair = userdata;

    usleep(50000);
    dup2(repair->working, repair->fd);
    return NULL;
}

START_TEST(test_a_turn_that_fails_is_taken_again)
{
    sd_event *event = new_event();
    struct repair repair = {.working = break_event(event), .fd = sd_event_get_fd(event)};
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, repair_soon, &repair), 0);
    ck_assert_int_eq(loop_run(event), 7);
    pthread_join(thread, NULL);
    close(repair.working);
    sd_event_unref(event);
}
END_TEST

START_TEST(test_what_never_works_ends)
{
    sd_event *event = new_event();
    int working = break_event(event);

    ck_assert_int_lt(loop_run(event), 0);
    close(working);
    sd_event_unref(event);
}
END_TEST

START_TEST(test_ends_with_the_code_of_the_exit)
{
    sd_event *event = new_event();

    ck_assert_int_eq(loop_run(event), 7);
    sd_event_unref(event);
}
END_TEST

SUITE("loop", NULL, NULL, test_a_turn_that_fails_is_taken_again, test_what_never_works_ends,
      test_ends_with_the_code_of_the_exit)
