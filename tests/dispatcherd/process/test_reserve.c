/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/fd.h"
#include "dispatcherd/process/reserve.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

static struct reserve reserve;
static struct rlimit old_limit;

static void set_up(void)
{
    reserve = (struct reserve){0};
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old_limit), 0);
}

static void tear_down(void)
{
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old_limit), 0);
    reserve_release(&reserve);
}

static void set_limit(unsigned long n)
{
    const struct rlimit limit = {.rlim_cur = n, .rlim_max = old_limit.rlim_max};

    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* The process may open so many more, and they are the lowest that are free. */
static void leave_room_for(unsigned n)
{
    int fds[RESERVE_MAX];

    ck_assert_uint_lt(n, RESERVE_MAX);
    for (unsigned i = 0; i <= n; i++) {
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fds[i], 0);
    }
    set_limit((unsigned long)fds[n]);
    for (unsigned i = 0; i <= n; i++)
        fd_close(fds[i]);
}

static unsigned long needed_for(size_t n_services)
{
    unsigned long limit, needed;

    (void)reserve_check(n_services, &limit, &needed);
    return needed;
}

START_TEST(test_is_filled_up_once)
{
    ck_assert(reserve_fill(&reserve));
    ck_assert_uint_eq(reserve.n, RESERVE_MAX);
    int first = reserve.fds[0];
    for (unsigned i = 0; i < RESERVE_MAX; i++)
        ck_assert_int_eq(fcntl(reserve.fds[i], F_GETFD), FD_CLOEXEC);
    unsigned long needed = needed_for(0);
    ck_assert(reserve_fill(&reserve));
    ck_assert_uint_eq(reserve.n, RESERVE_MAX);
    ck_assert_int_eq(reserve.fds[0], first);
    ck_assert_uint_eq(needed_for(0), needed);
}
END_TEST

START_TEST(test_what_is_released_is_closed)
{
    struct reserve before;

    ck_assert(reserve_fill(&reserve));
    before = reserve;
    reserve_release(&reserve);
    ck_assert_uint_eq(reserve.n, 0);
    for (unsigned i = 0; i < RESERVE_MAX; i++) {
        ck_assert_int_eq(fcntl(before.fds[i], F_GETFD), -1);
        ck_assert_int_eq(errno, EBADF);
    }
    reserve_release(&reserve);
    ck_assert_uint_eq(reserve.n, 0);
    ck_assert(reserve_fill(&reserve));
}
END_TEST

START_TEST(test_is_not_filled_without_descriptors)
{
    leave_room_for(RESERVE_MAX - 1);
    ck_assert(!reserve_fill(&reserve));
    ck_assert_uint_eq(reserve.n, RESERVE_MAX - 1);
    ck_assert(!reserve_fill(&reserve));
    ck_assert_uint_eq(reserve.n, RESERVE_MAX - 1);
    /* One more, and it is full. */
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old_limit), 0);
    ck_assert(reserve_fill(&reserve));
    ck_assert_uint_eq(reserve.n, RESERVE_MAX);
}
END_TEST

START_TEST(test_what_is_released_can_be_opened)
{
    leave_room_for(RESERVE_MAX - 1);
    ck_assert(!reserve_fill(&reserve));
    ck_assert_int_eq(open("/dev/null", O_RDONLY | O_CLOEXEC), -1);
    reserve_release(&reserve);
    ck_assert(!reserve_fill(&reserve));
    reserve_release(&reserve);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    fd_close(fd);
}
END_TEST

/* Descriptors above that number are not expected. */
#define FD_MAX 65536

START_TEST(test_what_is_open_is_counted)
{
    unsigned long n_open = 0;

    for (int fd = 0; fd < FD_MAX; fd++)
        n_open += fcntl(fd, F_GETFD) >= 0;
    /* A connection, and a client of the control socket. */
    ck_assert_uint_eq(needed_for(0), n_open + RESERVE_MAX + 2);
}
END_TEST

START_TEST(test_more_services_and_open_files_need_more)
{
    unsigned long needed = needed_for(0);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    ck_assert_uint_eq(needed_for(0), needed + 1);
    ck_assert_uint_gt(needed_for(1), needed + 1);
    fd_close(fd);
    ck_assert_uint_eq(needed_for(0), needed);
    ck_assert_uint_eq(needed_for(10) - needed_for(9), needed_for(1) - needed_for(0));
}
END_TEST

START_TEST(test_what_it_says_is_enough)
{
    unsigned long limit, needed = needed_for(3), said;

    set_limit(needed);
    ck_assert_int_eq(reserve_check(3, &limit, &said), 0);
    ck_assert_uint_eq(limit, needed);
    ck_assert_uint_eq(said, needed);
    ck_assert_int_eq(reserve_check(4, &limit, &said), -EMFILE);
    ck_assert_uint_gt(said, needed);
    set_limit(needed - 1);
    ck_assert_int_eq(reserve_check(3, &limit, &said), -EMFILE);
    ck_assert_uint_eq(limit, needed - 1);
    ck_assert_uint_eq(said, needed);
}
END_TEST

/* With the number that it needs, the reserve is full when each of three services has a worker, with
 * a channel and a pidfd, and when a connection and a client of the control socket are open. */
START_TEST(test_all_of_that_can_be_opened)
{
    int fds[3 * 2 + 2];

    set_limit(needed_for(3));
    ck_assert(reserve_fill(&reserve));
    for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fds[i], 0);
    }
    for (size_t i = 0; i < ELEMENTSOF(fds); i++)
        fd_close(fds[i]);
}
END_TEST

SUITE("reserve", set_up, tear_down, test_is_filled_up_once, test_what_is_released_is_closed,
      test_is_not_filled_without_descriptors, test_what_is_released_can_be_opened,
      test_what_is_open_is_counted, test_more_services_and_open_files_need_more,
      test_what_it_says_is_enough, test_all_of_that_can_be_opened)
