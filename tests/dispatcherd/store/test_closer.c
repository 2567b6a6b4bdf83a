/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Closing what would make us wait. None of these tests comes to its end if we do. */
#include "support/suite.h"

#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/lingering.h"
#include "dispatcherd/store/closer.h"
#include "dispatcherd/store/closer_process.h"
#include "dispatcherd/store/stall_guard.h"
#include "protocol/channel.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    N_SOCKETS = 40 /* some batches */
};

static sd_event *event;

static void setup(void)
{
    ck_assert_int_ge(sd_event_new(&event), 0);
    ck_assert_int_eq(stall_guard_start(), 0);
    ck_assert_int_eq(closer_start(event), 0);
}

static void teardown(void)
{
    closer_end();
    stall_guard_stop();
    sd_event_unref(event);
}

/* Until there is nothing to do. */
static void run_loop(void)
{
    while (sd_event_run(event, 100 * USEC_PER_MSEC) > 0)
        ;
}

static int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

START_TEST(test_a_close_that_waits_is_cut_short)
{
    setup();
    for (int i = 0; i < 3; i++) {
        struct lingering lingering = lingering_make();
        uint64_t now = time_now_usec(CLOCK_MONOTONIC);

        ck_assert(stall_guard_close(lingering.server, now));
        ck_assert_uint_lt(seconds_since(now), LINGER_SEC / 2);
        lingering_read_to_end(&lingering);
    }
    teardown();
}
END_TEST

START_TEST(test_the_timer_rests_when_nothing_is_closed)
{
    sigset_t set;
    siginfo_t info;
    const struct timespec limit = {.tv_nsec = 200 * 1000 * 1000};

    setup();
    (void)stall_guard_close(-1, 0);
    run_loop();
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    ck_assert_int_eq(sigtimedwait(&set, &info, &limit), -1);
    ck_assert_int_eq(errno, EAGAIN);
    teardown();
}
END_TEST

START_TEST(test_sockets_that_linger_are_closed_elsewhere)
{
    struct lingering lingerings[N_SOCKETS];

    setup();
    for (int i = 0; i < N_SOCKETS; i++)
        lingerings[i] = lingering_make();
    int before = count_descriptors();
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    for (int i = 0; i < N_SOCKETS; i++)
        closer_close(lingerings[i].server);
    run_loop();
    ck_assert_uint_lt(seconds_since(now), LINGER_SEC / 2);
    ck_assert_int_le(count_descriptors(), before - N_SOCKETS + 3);
    for (int i = 0; i < N_SOCKETS; i++)
        lingering_read_to_end(&lingerings[i]);
    teardown();
}
END_TEST

static pid_t closer_pid(void)
{
    char path[64];
    int pid = 0;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "re");
    ck_assert_int_eq(fscanf(file, "%d", &pid), 1);
    fclose(file);
    return pid;
}

START_TEST(test_another_process_takes_the_place_of_one_that_died)
{
    setup();
    for (int i = 0; i < 3; i++) {
        struct lingering lingering = lingering_make();

        closer_close(lingering.server);
        run_loop();
        lingering_read_to_end(&lingering);
        kill(closer_pid(), SIGKILL);
        run_loop();
    }
    teardown();
}
END_TEST

START_TEST(test_the_process_ends_with_us)
{
    setup();
    closer_close(dup(STDIN_FILENO));
    run_loop();
    pid_t pid = closer_pid();
    teardown();
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    ck_assert_int_eq(kill(pid, 0), -1);
}
END_TEST

static bool has_byte(int fd, int limit_msec)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    char byte;

    return poll(&pollfd, 1, limit_msec) == 1 && recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
}

/* We may be held up between the two packets of a pair. */
START_TEST(test_a_batch_is_confirmed_once_however_late_we_are)
{
    int pair[2], fd = dup(STDIN_FILENO);

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    pid_t pid = fork();
    if (pid == 0)
        closer_process_run(pair[1]);
    close(pair[1]);
    ck_assert(has_byte(pair[0], 5000));
    ck_assert_int_eq(channel_send(pair[0], "F", 1, &fd, 1), 0);
    ck_assert(has_byte(pair[0], 5000));
    ck_assert_int_eq(channel_send(pair[0], "G", 1, NULL, 0), 0);
    ck_assert_int_eq(channel_send(pair[0], "F", 1, &fd, 1), 0);
    ck_assert_int_eq(channel_send(pair[0], "G", 1, NULL, 0), 0);
    ck_assert(has_byte(pair[0], 5000));
    shutdown(pair[0], SHUT_WR);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert(!has_byte(pair[0], 0));
    close(pair[0]);
    close(fd);
}
END_TEST

static void send_rights(int to, size_t length, int fd)
{
    static char bytes[10000];

    ck_assert_int_eq(channel_send(to, bytes, length, &fd, 1), 0);
}

/* The first is in order, one is too long, one is empty; all have a socket that would make us wait.
 * And the sender's own end lies in its own channel. */
START_TEST(test_drains_whatever_lies_there)
{
    static const size_t lengths[] = {8, 9999, 0, 9999, 1};
    struct lingering lingerings[5];
    int pair[2];

    setup();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    for (int i = 0; i < 5; i++) {
        lingerings[i] = lingering_make();
        send_rights(pair[1], lengths[i], lingerings[i].server);
        fd_close(lingerings[i].server);
    }
    send_rights(pair[1], 1, pair[1]);
    fd_close(pair[1]);
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    closer_drain(pair[0]);
    fd_close(pair[0]);
    run_loop();
    ck_assert_uint_lt(seconds_since(now), LINGER_SEC / 2);
    for (int i = 0; i < 5; i++)
        lingering_read_to_end(&lingerings[i]);
    teardown();
}
END_TEST

START_TEST(test_a_client_that_sends_descriptors_is_told_from_others)
{
    struct lingering lingering = lingering_make();
    char bytes[16];
    int pair[2];

    setup();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(closer_receive(pair[0], bytes, sizeof(bytes)), -EAGAIN);
    ck_assert_int_eq(send(pair[1], "call", 4, 0), 4);
    ck_assert_int_eq(closer_receive(pair[0], bytes, sizeof(bytes)), 4);
    send_rights(pair[1], 4, lingering.server);
    fd_close(lingering.server);
    ck_assert_int_eq(closer_receive(pair[0], bytes, sizeof(bytes)), -EBADMSG);
    run_loop();
    lingering_read_to_end(&lingering);
    fd_close(pair[1]);
    ck_assert_int_eq(closer_receive(pair[0], bytes, sizeof(bytes)), 0);
    fd_close(pair[0]);
    teardown();
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("closer");

    ADD_TESTS(suite, "guard", test_a_close_that_waits_is_cut_short,
              test_the_timer_rests_when_nothing_is_closed);
    ADD_TESTS(suite, "closer", test_sockets_that_linger_are_closed_elsewhere,
              test_another_process_takes_the_place_of_one_that_died, test_the_process_ends_with_us,
              test_a_batch_is_confirmed_once_however_late_we_are, test_drains_whatever_lies_there,
              test_a_client_that_sends_descriptors_is_told_from_others);
    return suite;
}
