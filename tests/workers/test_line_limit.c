/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/macro.h"
#include "base/time.h"
#include "support/suite.h"
#include "workers/worker_log.h"

#include "workers/common/line_limit.h"

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define N_THREADS      4
#define LINES_A_THREAD 500

static dispatcher_connection connection;

static void set_up(void)
{
    worker_log_begin();
    connection = worker_log_connection();
}

static unsigned count_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    unsigned n = 0;

    ck_assert_ptr_nonnull(tasks);
    for (struct dirent *entry; (entry = readdir(tasks));)
        n += entry->d_name[0] != '.';
    closedir(tasks);
    return n;
}

static void leave_out(struct line_limit *limit)
{
    while (line_limit_take(limit, &connection, NULL))
        ;
}

/* The summary is due at once. */
static void leave_out_long_ago(struct line_limit *limit)
{
    uint64_t then = time_now_usec(CLOCK_MONOTONIC) - LOG_LIMIT_SUM_USEC;

    while (log_limit_take(&limit->limit, then, true, "of 192.0.2.7"))
        ;
    leave_out(limit);
}

/* Lines left out, by the summaries of the kind in the text. */
static unsigned long sum_of(const char *text, const char *kind)
{
    char begin[64];
    unsigned long n = 0;

    snprintf(begin, sizeof(begin), "TEST: %s: ", kind);
    for (const char *at = text; (at = strstr(at, begin)); at++)
        n += strtoul(at + strlen(begin), NULL, 10);
    return n;
}

START_TEST(test_a_flood_is_summed_up_at_the_end)
{
    struct line_limit limit = LINE_LIMIT_INIT("failed sessions", LOG_NOTICE, 3, 1);
    unsigned n = 0;

    for (int i = 0; i < 100; i++)
        n += line_limit_take(&limit, &connection, i % 4 == 0 ? "late" : NULL);
    /* As many more as seconds may have passed. */
    ck_assert_uint_ge(n, 3);
    ck_assert_uint_lt(n, 50);
    ck_assert_str_eq(worker_log_take(), "");
    line_limits_end();
    const char *text = worker_log_take();
    ck_assert_ptr_nonnull(strstr(text, "TEST: failed sessions: "));
    ck_assert_ptr_nonnull(strstr(text, " lines left out in "));
    ck_assert_ptr_nonnull(strstr(text, " of 192.0.2.7, "));
    ck_assert_ptr_nonnull(strstr(text, " of 192.0.2.7 (late)"));
    line_limits_end();
    ck_assert_str_eq(worker_log_take(), "");
}
END_TEST

START_TEST(test_a_summary_comes_when_it_is_due)
{
    struct line_limit kinds[] = {
        LINE_LIMIT_INIT("sessions", LOG_INFO, 1, 1),
        LINE_LIMIT_INIT("failed sessions", LOG_NOTICE, 1, 1),
    };

    for (size_t k = 0; k < ELEMENTSOF(kinds); k++) {
        const char *text = "";
        leave_out_long_ago(&kinds[k]);
        for (int i = 0; i < 2000 && *(text = worker_log_take()) == '\0'; i++)
            usleep(5000);
        ck_assert_uint_ge(sum_of(text, kinds[k].kind), 1);
        ck_assert_ptr_nonnull(strstr(text, " left out in 1"));
    }
    line_limits_end();
    ck_assert_str_eq(worker_log_take(), "");
}
END_TEST

START_TEST(test_all_kinds_share_one_thread)
{
    struct line_limit kinds[] = {
        LINE_LIMIT_INIT("sessions", LOG_INFO, 1, 1),
        LINE_LIMIT_INIT("failed sessions", LOG_NOTICE, 1, 1),
        LINE_LIMIT_INIT("clients not served", LOG_ERR, 1, 1),
    };

    /* With the first thread a sanitizer may begin one of its own. */
    unsigned n_before = count_threads();
    leave_out(&kinds[0]);
    unsigned n_threads = count_threads();
    ck_assert_uint_gt(n_threads, n_before);
    for (size_t i = 1; i < ELEMENTSOF(kinds); i++)
        leave_out(&kinds[i]);
    ck_assert_uint_eq(count_threads(), n_threads);
    line_limits_end();
    const char *text = worker_log_take();
    for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
        ck_assert_uint_ge(sum_of(text, kinds[i].kind), 1);
}
END_TEST

START_TEST(test_each_kind_is_summed_up_when_it_is_due)
{
    struct line_limit kinds[] = {
        LINE_LIMIT_INIT("sessions", LOG_INFO, 1, 1),
        LINE_LIMIT_INIT("failed sessions", LOG_NOTICE, 1, 1),
        LINE_LIMIT_INIT("clients not served", LOG_ERR, 1, 1),
    };
    bool is_told[ELEMENTSOF(kinds)] = {false};
    size_t n_told = 0;

    for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
        leave_out_long_ago(&kinds[i]);
    for (int i = 0; i < 2000 && n_told < ELEMENTSOF(kinds); i++) {
        const char *text = worker_log_take();
        n_told = 0;
        for (size_t k = 0; k < ELEMENTSOF(kinds); k++) {
            is_told[k] |= sum_of(text, kinds[k].kind) > 0;
            n_told += is_told[k];
        }
        usleep(5000);
    }
    ck_assert_uint_eq(n_told, ELEMENTSOF(kinds));
    line_limits_end();
    ck_assert_str_eq(worker_log_take(), "");
}
END_TEST

static struct line_limit shared[] = {
    LINE_LIMIT_INIT("sessions", LOG_INFO, 1, 1),
    LINE_LIMIT_INIT("failed sessions", LOG_NOTICE, 1, 1),
};

struct line_maker {
    pthread_t thread;
    dispatcher_connection connection;
    unsigned long n_left_out[ELEMENTSOF(shared)];
};

static void *make_lines(void *userdata)
{
    struct line_maker *maker = userdata;

    for (int i = 0; i < LINES_A_THREAD; i++)
        for (size_t k = 0; k < ELEMENTSOF(shared); k++)
            maker->n_left_out[k] += !line_limit_take(&shared[k], &maker->connection, NULL);
    return NULL;
}

START_TEST(test_no_line_of_any_thread_is_forgotten)
{
    struct line_maker makers[N_THREADS] = {0};

    for (int i = 0; i < N_THREADS; i++)
        makers[i].connection = worker_log_connection();
    for (int i = 0; i < N_THREADS; i++)
        ck_assert_int_eq(pthread_create(&makers[i].thread, NULL, make_lines, &makers[i]), 0);
    for (int i = 0; i < N_THREADS; i++)
        ck_assert_int_eq(pthread_join(makers[i].thread, NULL), 0);
    line_limits_end();
    const char *text = worker_log_take();
    for (size_t k = 0; k < ELEMENTSOF(shared); k++) {
        unsigned long n = 0;
        for (int i = 0; i < N_THREADS; i++)
            n += makers[i].n_left_out[k];
        ck_assert_uint_ge(n, 1);
        ck_assert_uint_eq(sum_of(text, shared[k].kind), n);
    }
}
END_TEST

SUITE("line_limit", set_up, worker_log_end, test_a_flood_is_summed_up_at_the_end,
      test_a_summary_comes_when_it_is_due, test_all_kinds_share_one_thread,
      test_each_kind_is_summed_up_when_it_is_due, test_no_line_of_any_thread_is_forgotten)
