/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/limited_call.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* Work that goes on until a byte comes, or that computes for a while. */
struct work {
    int from; /* -1: it does not wait */
    uint64_t computing_usec;
    int result;
};

static int pipes[2];    /* what the work waits for */
static int disposed[2]; /* a byte for each work that was disposed of */

static void run(void *data)
{
    struct work *work = data;
    uint64_t end = time_now_usec(CLOCK_THREAD_CPUTIME_ID) + work->computing_usec;
    char byte;

    while (time_now_usec(CLOCK_THREAD_CPUTIME_ID) < end)
        ;
    if (work->from >= 0)
        (void)!read(work->from, &byte, 1);
    work->result = 42;
}

static void dispose(void *data)
{
    free(data);
    (void)!write(disposed[1], "x", 1);
}

static const struct limited_work work_functions = {run, dispose};

static struct work *work_new(int from, uint64_t computing_usec)
{
    struct work *work = calloc(1, sizeof(*work));

    ck_assert_ptr_nonnull(work);
    work->from = from;
    work->computing_usec = computing_usec;
    return work;
}

/* Waits for the next work to be disposed of. */
static void await_disposal(void)
{
    struct pollfd pollfd = {.fd = disposed[0], .events = POLLIN};
    char byte;

    ck_assert_int_eq(poll(&pollfd, 1, 10000), 1);
    ck_assert_int_eq(read(disposed[0], &byte, 1), 1);
}

static void make_pipes(void)
{
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(disposed, O_CLOEXEC), 0);
}

START_TEST(test_what_ends_in_time_is_the_callers)
{
    struct limited_call *stuck = NULL;

    make_pipes();
    struct work *work = work_new(-1, 0);
    ck_assert_int_eq(limited_call(&stuck, &work_functions, work, 10 * USEC_PER_SEC), 0);
    ck_assert_int_eq(work->result, 42);
    ck_assert_ptr_null(stuck);
    free(work);
}
END_TEST

START_TEST(test_what_hangs_is_left_alone_and_remembered_until_it_ends)
{
    struct limited_call *stuck = NULL;

    make_pipes();
    ck_assert_int_eq(
        limited_call(&stuck, &work_functions, work_new(pipes[0], 0), 100 * USEC_PER_MSEC),
        -ETIMEDOUT);
    ck_assert_ptr_nonnull(stuck);
    /* Refused at once: no other thread waits for the same. */
    ck_assert_int_eq(limited_call(&stuck, &work_functions, work_new(-1, 0), 10 * USEC_PER_SEC),
                     -ETIMEDOUT);
    await_disposal();

    ck_assert_int_eq(write(pipes[1], "x", 1), 1);
    struct work *work;
    int r;
    do {
        work = work_new(-1, 0);
        r = limited_call(&stuck, &work_functions, work, 10 * USEC_PER_SEC);
        if (r == -ETIMEDOUT)
            await_disposal();
    } while (r == -ETIMEDOUT);
    ck_assert_int_eq(r, 0);
    await_disposal(); /* of what hung */
    ck_assert_ptr_null(stuck);
    free(work);
}
END_TEST

START_TEST(test_time_in_which_it_computes_does_not_count)
{
    struct limited_call *stuck = NULL;
    struct work *work = work_new(-1, USEC_PER_SEC);

    ck_assert_int_eq(limited_call(&stuck, &work_functions, work, USEC_PER_SEC / 2), 0);
    ck_assert_int_eq(work->result, 42);
    free(work);
}
END_TEST

static bool was_disposed(void)
{
    struct pollfd pollfd = {.fd = disposed[0], .events = POLLIN};

    return poll(&pollfd, 1, 0) == 1;
}

/* Nobody will ask about it, but its memory must not stay: whether it hangs, or ends at that moment.
 */
START_TEST(test_what_is_forgotten_is_disposed_of_at_its_end)
{
    struct limited_call *stuck = NULL;

    make_pipes();
    limited_call_forget(&stuck);
    ck_assert_int_eq(limited_call(&stuck, &work_functions, work_new(pipes[0], 0), 0), -ETIMEDOUT);
    limited_call_forget(&stuck);
    ck_assert_ptr_null(stuck);
    ck_assert(!was_disposed());
    ck_assert_int_eq(write(pipes[1], "x", 1), 1);
    await_disposal();

    ck_assert_int_eq(limited_call(&stuck, &work_functions, work_new(pipes[0], 0), 0), -ETIMEDOUT);
    ck_assert_int_eq(write(pipes[1], "x", 1), 1);
    limited_call_forget(&stuck);
    await_disposal();
    ck_assert(!was_disposed());
}
END_TEST

SUITE("limited_call", NULL, NULL, test_what_ends_in_time_is_the_callers,
      test_what_hangs_is_left_alone_and_remembered_until_it_ends,
      test_time_in_which_it_computes_does_not_count,
      test_what_is_forgotten_is_disposed_of_at_its_end)
