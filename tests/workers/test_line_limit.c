/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"
#include "workers/worker_log.h"

#include "workers/common/line_limit.h"

#include <unistd.h>

static dispatcher_connection connection;

static void set_up(void)
{
    worker_log_begin();
    connection = worker_log_connection();
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
    line_limit_end(&limit, connection.worker);
    const char *text = worker_log_take();
    ck_assert_ptr_nonnull(strstr(text, "TEST: failed sessions: "));
    ck_assert_ptr_nonnull(strstr(text, " lines left out in "));
    ck_assert_ptr_nonnull(strstr(text, " of 192.0.2.7, "));
    ck_assert_ptr_nonnull(strstr(text, " of 192.0.2.7 (late)"));
    line_limit_end(&limit, connection.worker);
    ck_assert_str_eq(worker_log_take(), "");
}
END_TEST

START_TEST(test_a_summary_comes_when_it_is_due)
{
    struct line_limit limit = LINE_LIMIT_INIT("failed sessions", LOG_NOTICE, 1, 1);
    const char *text = "";

    for (int time = 0; time < 2; time++) {
        while (line_limit_take(&limit, &connection, NULL))
            ;
        /* As if ten seconds had passed. */
        pthread_mutex_lock(&limit.lock);
        limit.limit.since -= LOG_LIMIT_SUM_USEC;
        pthread_cond_signal(&limit.change);
        pthread_mutex_unlock(&limit.lock);
        for (int i = 0; i < 2000 && *(text = worker_log_take()) == '\0'; i++)
            usleep(5000);
        ck_assert_ptr_nonnull(strstr(text, " left out in 1"));
    }
    line_limit_end(&limit, connection.worker);
    ck_assert_str_eq(worker_log_take(), "");
}
END_TEST

SUITE("line_limit", set_up, worker_log_end, test_a_flood_is_summed_up_at_the_end,
      test_a_summary_comes_when_it_is_due)
