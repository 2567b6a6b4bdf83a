/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A loop within the loop: all else goes first, but not for ever, and what is left is a share. */
#include "base/fd.h"
#include "base/macro.h"
#include "base/time.h"
#include "dispatcherd/control/share.h"
#include "support/suite.h"

#include <sys/eventfd.h>

/* No test waits longer for what must come. */
#define LIMIT_USEC (5 * USEC_PER_SEC)

static sd_event *event;
static struct control_share *share;
static unsigned n_inner, n_outer;
static uint64_t inner_usec; /* of the processor, for a dispatch in the share */

static void start(uint64_t turn_usec, unsigned rest_factor, uint64_t patience_usec)
{
    const struct control_share_settings settings = {
        .turn_usec = turn_usec,
        .rest_factor = rest_factor,
        .patience_usec = patience_usec,
    };

    ck_assert_int_eq(control_share_new(event, &settings, &share), 0);
}

static void setup(void)
{
    n_inner = n_outer = 0;
    inner_usec = 0;
    share = NULL;
    ck_assert_int_ge(sd_event_new(&event), 0);
}

static void teardown(void)
{
    control_share_free(share);
    sd_event_unref(event);
}

static int on_inner(_unused_ sd_event_source *source, _unused_ void *userdata)
{
    uint64_t from = time_now_usec(CLOCK_THREAD_CPUTIME_ID), now;

    n_inner++;
    do
        now = time_now_usec(CLOCK_THREAD_CPUTIME_ID);
    while (now - from < inner_usec);
    return 0;
}

static int on_outer(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events,
                    _unused_ void *userdata)
{
    n_outer++;
    return 0;
}

/* Sources that are always due. */
static sd_event_source *add_inner(void)
{
    sd_event_source *source = NULL;

    ck_assert_int_ge(sd_event_add_defer(control_share_event(share), &source, on_inner, NULL), 0);
    ck_assert_int_ge(sd_event_source_set_enabled(source, SD_EVENT_ON), 0);
    return source;
}

static sd_event_source *add_outer(void)
{
    sd_event_source *source = NULL;
    int fd = eventfd(1, EFD_CLOEXEC);

    ck_assert_int_ge(sd_event_add_io(event, &source, fd, EPOLLIN, on_outer, NULL), 0);
    ck_assert_int_ge(sd_event_source_set_io_fd_own(source, true), 0);
    return source;
}

static void run_until(const unsigned *counter, unsigned n)
{
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + LIMIT_USEC;

    while (*counter < n && time_now_usec(CLOCK_MONOTONIC) < end)
        ck_assert_int_ge(sd_event_run(event, USEC_PER_MSEC), 0);
    ck_assert_uint_ge(*counter, n);
}

START_TEST(test_all_else_goes_first)
{
    start(100, 0, 60 * USEC_PER_SEC);
    sd_event_source *inner = add_inner();
    sd_event_source *outer = add_outer();

    control_share_touch(share);
    run_until(&n_outer, 1000);
    ck_assert_uint_eq(n_inner, 0);
    sd_event_source_disable_unref(outer);
    run_until(&n_inner, 1);
    sd_event_source_disable_unref(inner);
}
END_TEST

START_TEST(test_patience_has_an_end)
{
    start(100, 0, USEC_PER_MSEC);
    sd_event_source *inner = add_inner();
    sd_event_source *outer = add_outer();

    control_share_touch(share);
    run_until(&n_inner, 10);
    sd_event_source_disable_unref(outer);
    sd_event_source_disable_unref(inner);
}
END_TEST

/* A turn of one dispatch, which takes a millisecond, and a rest of nine, 20 times. A busy machine
 * makes it last longer, not shorter. */
START_TEST(test_rests_after_each_turn)
{
    start(1, 9, USEC_PER_MSEC);
    inner_usec = USEC_PER_MSEC;
    sd_event_source *inner = add_inner();
    uint64_t from = time_now_usec(CLOCK_MONOTONIC);

    run_until(&n_inner, 20);
    ck_assert_uint_ge(time_now_usec(CLOCK_MONOTONIC) - from, 19 * 10 * USEC_PER_MSEC);
    sd_event_source_disable_unref(inner);
}
END_TEST

/* A listener that is due while the share has its turn waits for one dispatch, not for a hundred. */
START_TEST(test_a_turn_ends_when_its_time_is_up)
{
    start(1, 0, USEC_PER_MSEC);
    inner_usec = 10;
    sd_event_source *inner = add_inner();

    for (int i = 0; i < 100; i++) {
        unsigned n_before = n_inner;

        ck_assert_int_ge(sd_event_run(event, USEC_PER_MSEC), 0);
        ck_assert_uint_le(n_inner, n_before + 1);
    }
    ck_assert_uint_gt(n_inner, 1);
    sd_event_source_disable_unref(inner);
}
END_TEST

static int on_event(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events,
                    _unused_ void *userdata)
{
    eventfd_t value;

    n_inner++;
    return eventfd_read(fd, &value);
}

static int on_time(_unused_ sd_event_source *source, _unused_ uint64_t usec, _unused_ void *data)
{
    n_inner++;
    return 0;
}

/* As long as nothing is due in it, it costs the outer loop nothing. */
START_TEST(test_sees_descriptors_and_timers)
{
    sd_event_source *io = NULL, *timer = NULL;

    start(100, 9, USEC_PER_MSEC);
    sd_event *inner = control_share_event(share);
    _cleanup_fd_ int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ck_assert_int_ge(sd_event_add_io(inner, &io, fd, EPOLLIN, on_event, NULL), 0);
    for (unsigned i = 1; i <= 3; i++) {
        for (int k = 0; k < 5; k++)
            ck_assert_int_ge(sd_event_run(event, USEC_PER_MSEC), 0);
        ck_assert_int_eq(eventfd_write(fd, 1), 0);
        run_until(&n_inner, i);
    }
    ck_assert_int_ge(
        sd_event_add_time_relative(inner, &timer, CLOCK_MONOTONIC, USEC_PER_MSEC, 1, on_time, NULL),
        0);
    control_share_touch(share);
    run_until(&n_inner, 4);
    ck_assert_int_ge(sd_event_run(event, USEC_PER_MSEC), 0);
    sd_event_source_disable_unref(io);
    sd_event_source_disable_unref(timer);
}
END_TEST

START_TEST(test_sees_what_is_enabled_from_outside)
{
    start(100, 9, USEC_PER_MSEC);
    sd_event_source *source = add_inner();

    ck_assert_int_ge(sd_event_source_set_enabled(source, SD_EVENT_OFF), 0);
    for (unsigned i = 1; i <= 5; i++) {
        for (int k = 0; k < 5; k++)
            ck_assert_int_ge(sd_event_run(event, USEC_PER_MSEC), 0);
        ck_assert_int_ge(sd_event_source_set_enabled(source, SD_EVENT_ONESHOT), 0);
        control_share_touch(share);
        run_until(&n_inner, i);
    }
    sd_event_source_disable_unref(source);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("control_share");
    TCase *tcase = tcase_create("share");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_all_else_goes_first);
    tcase_add_test(tcase, test_patience_has_an_end);
    tcase_add_test(tcase, test_rests_after_each_turn);
    tcase_add_test(tcase, test_a_turn_ends_when_its_time_is_up);
    tcase_add_test(tcase, test_sees_descriptors_and_timers);
    tcase_add_test(tcase, test_sees_what_is_enabled_from_outside);
    suite_add_tcase(suite, tcase);
    return suite;
}
