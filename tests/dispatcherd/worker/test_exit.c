/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control_scene.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/worker/exit.h"
#include "support/simulated_clock.h"
#include "support/suite.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define FAILED "cannot start a worker: /bin/true, process 4711, "

static const siginfo_t ends_well = {.si_code = CLD_EXITED, .si_status = 0};
static const siginfo_t fails = {.si_code = CLD_EXITED, .si_status = 1};
static const siginfo_t is_killed = {.si_code = CLD_KILLED, .si_status = SIGKILL};
static const siginfo_t is_terminated = {.si_code = CLD_KILLED, .si_status = SIGTERM};

static struct control_scene scene;
static struct service *service;
static struct worker *ready, *starting;
static unsigned n_lines;
static char last_line[1024], last_id[64];

static void take(_unused_ struct follower *follower, json_t *event)
{
    const char *id = json_string_value(json_object_get(event, "message_id"));

    n_lines++;
    snprintf(last_line, sizeof(last_line), "%s", json_string_value(json_object_get(event, "text")));
    snprintf(last_id, sizeof(last_id), "%s", id ? id : "");
}

static struct follower follower = {.take = take};

static void set_up(void)
{
    int fd = -1;

    scene_init(&scene, "[SERVICE=SMTP]\nIMAGE=/bin/true\nPORT=2525\nMIN_PROCS=0\nMAX_PROCS=2\n"
                       "MAX_CONNS=10\nDEBUG=16%40\n");
    service = scene.services[0];
    ready = scene_add_worker(&scene, 0, 0, 4711);
    starting = worker_new(service, 1, REASON_DEMAND, &fd, simulated_now);
    starting->pid = 4711;
    starting->is_child = true;
    n_lines = 0;
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    scene_clear(&scene);
}

/* Reports that end as worker_conclude() does. */
static void end(struct worker *worker, const siginfo_t *info)
{
    char text[WORKER_CAUSE_MAX];
    const struct worker_exit exit = worker_exit_describe(worker, info, text, sizeof(text));

    n_lines = 0;
    last_line[0] = last_id[0] = '\0';
    worker_exit_report(worker, info, exit.cause);
}

static void check(const char *id, const char *line)
{
    ck_assert_uint_eq(n_lines, 1);
    ck_assert_str_eq(last_line, line);
    ck_assert_str_eq(last_id, id);
}

START_TEST(test_describes_how_a_child_ended)
{
    static const struct {
        siginfo_t info;
        const char *cause;
        int status, signal;
    } cases[] = {
        {{.si_code = CLD_EXITED, .si_status = 0}, "exited with status 0", 0, 0},
        {{.si_code = CLD_EXITED, .si_status = 255}, "exited with status 255", 255, 0},
        {{.si_code = CLD_KILLED, .si_status = SIGKILL}, "died of signal 9 (Killed)", -1, SIGKILL},
        {{.si_code = CLD_DUMPED, .si_status = SIGSEGV},
         "died of signal 11 (Segmentation fault)",
         -1,
         SIGSEGV},
    };
    char text[WORKER_CAUSE_MAX];

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct worker_exit exit = worker_exit_describe(ready, &cases[i].info, text, sizeof(text));

        ck_assert_str_eq(exit.cause, cases[i].cause);
        ck_assert_ptr_eq(exit.cause, text);
        ck_assert_int_eq(exit.status, cases[i].status);
        ck_assert_int_eq(exit.signal, cases[i].signal);
    }
}
END_TEST

START_TEST(test_describes_the_end_of_a_unit_as_systemd_does)
{
    char text[WORKER_CAUSE_MAX], little[8];

    ready->is_child = false;
    struct worker_exit exit = worker_exit_describe(ready, &fails, text, sizeof(text));
    ck_assert_str_eq(exit.cause, "exited"); /* nothing is reported */
    ck_assert_int_eq(exit.status, -1);
    ck_assert_int_eq(exit.signal, 0);
    snprintf(ready->cause, sizeof(ready->cause), "was killed for lack of memory");
    ready->exit_signal = SIGKILL;
    exit = worker_exit_describe(ready, &fails, text, sizeof(text));
    ck_assert_str_eq(exit.cause, "was killed for lack of memory");
    ck_assert_int_eq(exit.status, -1);
    ck_assert_int_eq(exit.signal, SIGKILL);
    exit = worker_exit_describe(ready, &fails, little, sizeof(little));
    ck_assert_str_eq(exit.cause, "was kil");
}
END_TEST

START_TEST(test_an_end_before_it_was_ready_is_a_failed_start)
{
    end(starting, &fails);
    check(MESSAGE_ID_START_FAILED, FAILED "exited with status 1");
    ck_assert_uint_eq(service->statistics->n_failed_starts, 1);
    service->failed_starts.report_at = 0;
    end(starting, &is_killed);
    check(MESSAGE_ID_START_FAILED, FAILED "died of signal 9 (Killed)");
    service->failed_starts.report_at = 0;
    /* Nobody asked for that. */
    end(starting, &ends_well);
    check(MESSAGE_ID_START_FAILED, FAILED "exited with status 0 before it was ready");
    ck_assert_uint_eq(service->statistics->n_failed_starts, 3);
}
END_TEST

START_TEST(test_an_end_as_soon_as_it_was_ready_is_a_failed_start)
{
    ready->is_failed_start = true;
    end(ready, &ends_well);
    check(MESSAGE_ID_START_FAILED, FAILED "exited with status 0 by itself as soon as it was ready");
}
END_TEST

START_TEST(test_a_failed_start_is_reported_with_its_last_lines)
{
    starting->last_lines = strdup("no such table");
    end(starting, &fails);
    check(MESSAGE_ID_START_FAILED, FAILED "exited with status 1; its last lines: no such table");
}
END_TEST

START_TEST(test_a_worker_that_was_given_up_is_a_failed_start_for_that_reason)
{
    starting->lost_reason = "did not send HELLO";
    /* It was killed for that; how it died says nothing. */
    end(starting, &is_terminated);
    check(MESSAGE_ID_START_FAILED, FAILED "did not send HELLO");
    service->failed_starts.report_at = 0;
    end(starting, &ends_well);
    check(MESSAGE_ID_START_FAILED, FAILED "did not send HELLO");
}
END_TEST

START_TEST(test_a_failed_start_that_is_outdated_says_nothing_of_the_next)
{
    starting->start_reason = REASON_SUCCESSOR;
    pool_worker_outdated(service->pool, 0);
    pool_worker_outdated(service->pool, 1);
    end(starting, &fails);
    check(MESSAGE_ID_START_FAILED, FAILED "exited with status 1");
    ck_assert(service->pool->workers[0].is_outdated);
    service->pool->workers[1].is_outdated = false;
    end(starting, &fails);
    ck_assert(!service->pool->workers[0].is_outdated);
}
END_TEST

START_TEST(test_a_unit_of_which_nothing_is_known_is_a_failed_start)
{
    starting->is_child = false;
    starting->pid = 0;
    end(starting, &fails);
    check(MESSAGE_ID_START_FAILED, "cannot start a worker: /bin/true, ended before it sent HELLO, "
                                   "and systemd does not report why");
}
END_TEST

/* An administrator or a service manager has stopped it: it had no handler for SIGTERM yet. */
START_TEST(test_a_young_worker_that_is_stopped_is_no_failed_start)
{
    end(starting, &is_terminated);
    check("", "worker 4711 has ended after 0 connections (died of signal 15 (Terminated))");
    starting->is_child = false;
    starting->was_stopped = true;
    end(starting, &fails);
    ck_assert_uint_eq(n_lines, 1);
    ck_assert_uint_eq(service->statistics->n_failed_starts, 0);
}
END_TEST

START_TEST(test_a_wanted_end_is_no_failed_start_however_young_the_worker)
{
    ready->is_failed_start = true;
    ready->has_drained = true;
    end(ready, &ends_well);
    ck_assert_ptr_nonnull(strstr(last_line, "worker 4711 has ended after 0 connections"));
    starting->retire_reason = REASON_STOPPING;
    end(starting, &ends_well);
    ck_assert_ptr_nonnull(strstr(last_line, "worker 4711 has ended after 0 connections"));
    ready->has_drained = false;
    ready->retire_reason = REASON_SURPLUS;
    end(ready, &ends_well);
    ck_assert_ptr_nonnull(strstr(last_line, "worker 4711 has ended after 0 connections"));
    ck_assert_uint_eq(service->statistics->n_failed_starts, 0);
    /* What was retired before it was ready is not missed, but its fault is told. */
    end(starting, &fails);
    ck_assert_str_eq(last_id, MESSAGE_ID_WORKER_DIED);
    ck_assert_uint_eq(service->statistics->n_failed_starts, 0);
    /* A ready one that was of no use, and fails when it is to end, has failed from the start. */
    end(ready, &fails);
    ck_assert_str_eq(last_id, MESSAGE_ID_START_FAILED);
}
END_TEST

START_TEST(test_an_ordinary_end_is_reported_with_its_reason)
{
    connection_close(scene_add_connection(&scene, 0, ready), simulated_now);
    end(ready, &ends_well);
    check("", "worker 4711 has ended after 1 connection (exited with status 0)");
    ready->retire_reason = REASON_IDLE;
    char line[256];
    snprintf(line, sizeof(line), "worker 4711 has ended after 1 connection (%s)",
             decision_reason_to_string(REASON_IDLE));
    end(ready, &ends_well);
    check("", line);
    ck_assert_uint_eq(service->alerts.deaths.n, 0);
}
END_TEST

START_TEST(test_a_death_is_reported_with_what_was_lost)
{
    end(ready, &is_killed);
    check(MESSAGE_ID_WORKER_DIED, "worker 4711 died of signal 9 (Killed); 0 sessions were lost");
    scene_add_connection(&scene, 0, ready);
    end(ready, &is_killed);
    check(MESSAGE_ID_WORKER_DIED, "worker 4711 died of signal 9 (Killed); 1 session was lost");
    scene_add_connection(&scene, 0, ready);
    ready->last_lines = strdup("assertion failed");
    end(ready, &fails);
    check(MESSAGE_ID_WORKER_DIED, "worker 4711 exited with status 1; 2 sessions were lost; its "
                                  "last lines: assertion failed");
    ck_assert_uint_eq(service->alerts.deaths.n, 3);
    ck_assert_str_eq(service->alerts.last_death, "worker 4711 exited with status 1");
    ck_assert_uint_eq(service->statistics->n_failed_starts, 0);
}
END_TEST

START_TEST(test_no_end_under_sessions_is_ordinary)
{
    scene_add_connection(&scene, 0, ready);
    end(ready, &ends_well);
    check(MESSAGE_ID_WORKER_DIED, "worker 4711 exited with status 0; 1 session was lost");
    end(ready, &is_terminated);
    check(MESSAGE_ID_WORKER_DIED, "worker 4711 died of signal 15 (Terminated); 1 session was lost");
}
END_TEST

/* Whoever gave it up has reported that. */
START_TEST(test_an_end_that_was_expected_is_not_reported_again)
{
    ready->lost_reason = "broke a rule";
    end(ready, &is_killed);
    ck_assert_uint_eq(n_lines, 0);
    ck_assert_uint_eq(service->alerts.deaths.n, 0);
}
END_TEST

/* systemd has forgotten how it ended, and it was to end. */
START_TEST(test_the_unknown_end_of_a_draining_unit_is_ordinary)
{
    ready->is_child = false;
    end(ready, &ends_well);
    ck_assert_str_eq(last_id, MESSAGE_ID_WORKER_DIED);
    pool_worker_draining(service->pool, 0, simulated_now);
    end(ready, &ends_well);
    check("", "worker 4711 has ended after 0 connections (exited)");
    snprintf(ready->cause, sizeof(ready->cause), "exited with status 1");
    ready->exit_status = 1;
    end(ready, &ends_well);
    ck_assert_str_eq(last_id, MESSAGE_ID_WORKER_DIED);
}
END_TEST

START_TEST(test_a_death_is_noted_with_its_reason)
{
    worker_exit_note(ready, "did not feed its watchdog");
    worker_exit_note(ready, "broke a rule");
    ck_assert_uint_eq(service->alerts.deaths.n, 2);
    ck_assert(service->alerts.has_new_death);
    ck_assert_str_eq(service->alerts.last_death, "worker 4711 broke a rule");
    ck_assert_uint_eq(n_lines, 0);
}
END_TEST

SUITE("exit", set_up, tear_down, test_describes_how_a_child_ended,
      test_describes_the_end_of_a_unit_as_systemd_does,
      test_an_end_before_it_was_ready_is_a_failed_start,
      test_an_end_as_soon_as_it_was_ready_is_a_failed_start,
      test_a_failed_start_is_reported_with_its_last_lines,
      test_a_worker_that_was_given_up_is_a_failed_start_for_that_reason,
      test_a_failed_start_that_is_outdated_says_nothing_of_the_next,
      test_a_unit_of_which_nothing_is_known_is_a_failed_start,
      test_a_young_worker_that_is_stopped_is_no_failed_start,
      test_a_wanted_end_is_no_failed_start_however_young_the_worker,
      test_an_ordinary_end_is_reported_with_its_reason, test_a_death_is_reported_with_what_was_lost,
      test_no_end_under_sessions_is_ordinary, test_an_end_that_was_expected_is_not_reported_again,
      test_the_unknown_end_of_a_draining_unit_is_ordinary, test_a_death_is_noted_with_its_reason)
