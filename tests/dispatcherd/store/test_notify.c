/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the service manager is told, also one that is busy or gone. */
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/store/notify.h"
#include "dispatcherd/store/played_systemd.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static sd_event *event;
static struct notifier notifier;
static char text[PLAYED_TEXT_MAX];

static void set_up(void)
{
    memset(&notifier, 0, sizeof(notifier));
    unsetenv("WATCHDOG_USEC");
    played_systemd_start();
    ck_assert_int_ge(sd_event_new(&event), 0);
}

static void tear_down(void)
{
    notify_end(&notifier);
    sd_event_unref(event);
    played_systemd_end();
}

/* The next message; "": there is none. */
static const char *hear(void)
{
    int fd;

    if (!played_systemd_hears(text, &fd))
        return "";
    ck_assert_int_eq(fd, -1);
    return text;
}

START_TEST(test_states_are_told_at_once)
{
    ck_assert_int_eq(notify_start(&notifier, event), 0);
    notify_ready(&notifier);
    ck_assert_str_eq(hear(), "READY=1\n");
    notify_reloading(&notifier);
    ck_assert_int_eq(strncmp(hear(), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
    ck_assert_uint_gt(strtoull(text + 27, NULL, 10), 0);
    notify_stopping(&notifier);
    ck_assert_str_eq(hear(), "STOPPING=1\n");
    notify_extend(&notifier, 30 * USEC_PER_SEC);
    ck_assert_str_eq(hear(), "EXTEND_TIMEOUT_USEC=30000000");
    ck_assert_str_eq(hear(), "");
}
END_TEST

START_TEST(test_status_is_told_if_it_has_changed)
{
    ck_assert_int_eq(notify_start(&notifier, event), 0);
    notify_status(&notifier, "one");
    ck_assert_str_eq(hear(), "STATUS=one\n");
    notify_status(&notifier, "one");
    ck_assert_str_eq(hear(), "");
    notify_status(&notifier, "two");
    ck_assert_str_eq(hear(), "STATUS=two\n");
}
END_TEST

START_TEST(test_a_long_status_is_cut_and_told_once)
{
    char status[2 * NOTIFY_STATUS_MAX];

    memset(status, 's', sizeof(status) - 1);
    status[sizeof(status) - 1] = '\0';
    ck_assert_int_eq(notify_start(&notifier, event), 0);
    notify_status(&notifier, status);
    ck_assert_uint_eq(strlen(hear()), strlen("STATUS=\n") + NOTIFY_STATUS_MAX - 1);
    notify_status(&notifier, status);
    ck_assert_str_eq(hear(), "");
}
END_TEST

/* Lets the timer ring, as if its time had come. */
static void ring(void)
{
    timer_set_at(&notifier.retry, 0);
    ck_assert_int_ge(sd_event_run(event, USEC_PER_SEC), 0);
}

/* Nothing is lost, and what is older comes no later. */
START_TEST(test_a_busy_manager_is_told_later_and_all_of_it)
{
    ck_assert_int_eq(notify_start(&notifier, event), 0);
    unsigned n = played_systemd_fill();
    ck_assert_uint_gt(n, 0);
    notify_ready(&notifier);
    notify_status(&notifier, "one");
    notify_status(&notifier, "two");
    ck_assert(timer_is_set(&notifier.retry));
    ck_assert_uint_eq(notifier.n_failures, 0);
    for (unsigned i = 0; i < n; i++)
        ck_assert_str_eq(hear(), "X=1");
    ck_assert_str_eq(hear(), "");
    ring();
    ck_assert_str_eq(hear(), "READY=1\nSTATUS=two\n");
    ring();
    ck_assert_str_eq(hear(), "");
}
END_TEST

/* Its socket is gone: tried again for a while, and given up. */
START_TEST(test_a_manager_that_is_gone_is_given_up)
{
    unsigned n = 0;

    ck_assert_int_eq(notify_start(&notifier, event), 0);
    played_systemd_end();
    ck_assert_int_eq(setenv("NOTIFY_SOCKET", "/nonexistent/notify", true), 0);
    notify_ready(&notifier);
    while (notifier.is_ready_due && n < 1000) {
        n++;
        ring();
    }
    ck_assert_uint_eq(n, 49);
    ck_assert_uint_eq(notifier.n_failures, 0);
}
END_TEST

START_TEST(test_signs_of_life_come_twice_as_often_as_required)
{
    char pid[16];

    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    ck_assert_int_eq(setenv("WATCHDOG_USEC", "8000000", true), 0);
    ck_assert_int_eq(setenv("WATCHDOG_PID", pid, true), 0);
    ck_assert_int_eq(notify_start(&notifier, event), 0);
    ck_assert_uint_eq(notifier.watchdog_usec, 4 * USEC_PER_SEC);
    ck_assert_int_ge(sd_event_run(event, USEC_PER_SEC), 0);
    ck_assert_str_eq(hear(), "WATCHDOG=1");
    ck_assert(timer_is_set(&notifier.watchdog));
    ck_assert_uint_le(notifier.watchdog.at, time_now_usec(CLOCK_MONOTONIC) + 4 * USEC_PER_SEC);
}
END_TEST

START_TEST(test_without_a_watchdog_there_are_none)
{
    ck_assert_int_eq(notify_start(&notifier, event), 0);
    ck_assert_uint_eq(notifier.watchdog_usec, 0);
    ck_assert(!timer_is_made(&notifier.watchdog));
}
END_TEST

SUITE("notify", set_up, tear_down, test_states_are_told_at_once,
      test_status_is_told_if_it_has_changed, test_a_long_status_is_cut_and_told_once,
      test_a_busy_manager_is_told_later_and_all_of_it, test_a_manager_that_is_gone_is_given_up,
      test_signs_of_life_come_twice_as_often_as_required, test_without_a_watchdog_there_are_none)
