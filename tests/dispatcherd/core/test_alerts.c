/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What is noted for the alerts of a service: waits and deaths. */
#include "dispatcherd/core/alerts.h"
#include "support/simulated_clock.h"
#include "support/suite.h"

#include <string.h>

static struct alerts alerts;

static void set_up(void)
{
    memset(&alerts, 0, sizeof(alerts));
    alerts_init(&alerts, 1000);
}

START_TEST(test_the_longest_wait_is_kept)
{
    alerts_note_wait(&alerts, 2000, 2300);
    ck_assert_uint_eq(alerts.longest_wait, 300);
    alerts_note_wait(&alerts, 2000, 2100);
    ck_assert_uint_eq(alerts.longest_wait, 300);
    alerts_note_wait(&alerts, 3000, 3301);
    ck_assert_uint_eq(alerts.longest_wait, 301);
}
END_TEST

/* Who has waited since before the start has waited for a predecessor, or for the boot. */
START_TEST(test_no_wait_counts_from_before_the_start)
{
    alerts_note_wait(&alerts, 10, 1005);
    ck_assert_uint_eq(alerts.longest_wait, 5);
    alerts_note_wait(&alerts, 10, 900);
    ck_assert_uint_eq(alerts.longest_wait, 5);
}
END_TEST

/* The clock of the kernel's queue is an estimate. */
START_TEST(test_a_wait_that_ends_before_it_began_is_none)
{
    alerts_note_wait(&alerts, 3000, 2000);
    ck_assert_uint_eq(alerts.longest_wait, 0);
}
END_TEST

START_TEST(test_deaths_in_a_row_are_counted_and_the_last_is_kept)
{
    for (unsigned i = 0; i < 3; i++) {
        alerts_note_death(&alerts, i < 2 ? "died of signal 9" : "exited with status 1");
        clock_advance(59 * USEC_PER_SEC);
    }
    ck_assert_uint_eq(alerts.deaths.n, 3);
    ck_assert(alerts.has_new_death);
    ck_assert_str_eq(alerts.last_death, "exited with status 1");
}
END_TEST

START_TEST(test_a_pause_ends_the_row)
{
    alerts_note_death(&alerts, "a");
    alerts_note_death(&alerts, "b");
    clock_advance(61 * USEC_PER_SEC);
    alerts_note_death(&alerts, "c");
    ck_assert_uint_eq(alerts.deaths.n, 1);
}
END_TEST

/* As long as the alert is raised, it is one row, however slowly workers die. */
START_TEST(test_while_the_alert_lasts_the_row_goes_on)
{
    alerts_note_death(&alerts, "a");
    alerts.of[SERVICE_ALERT_DYING].is_raised = true;
    clock_advance(1000 * USEC_PER_SEC);
    alerts_note_death(&alerts, "b");
    ck_assert_uint_eq(alerts.deaths.n, 2);
}
END_TEST

START_TEST(test_a_long_reason_is_cut)
{
    static char reason[2 * sizeof(alerts.last_death)];

    memset(reason, 'x', sizeof(reason) - 1);
    alerts_note_death(&alerts, reason);
    ck_assert_uint_eq(strlen(alerts.last_death), sizeof(alerts.last_death) - 1);
}
END_TEST

SUITE("core_alerts", set_up, NULL, test_the_longest_wait_is_kept,
      test_no_wait_counts_from_before_the_start, test_a_wait_that_ends_before_it_began_is_none,
      test_deaths_in_a_row_are_counted_and_the_last_is_kept, test_a_pause_ends_the_row,
      test_while_the_alert_lasts_the_row_goes_on, test_a_long_reason_is_cut)
