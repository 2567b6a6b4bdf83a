/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/fd.h"
#include "protocol/channel.h"
#include "protocol/message.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int ours, theirs;
static int fds[MESSAGE_FDS_MAX];
static size_t n_fds;
static pid_t pid;
static char bytes[256];

static int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void setup(void)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    ours = pair[0];
    theirs = pair[1];
}

static void teardown(void)
{
    fd_close(ours);
    fd_close(theirs);
}

static void pass_credentials(void)
{
    const int on = 1;

    ck_assert_int_eq(setsockopt(theirs, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
}

static ssize_t receive(void)
{
    return channel_receive(theirs, bytes, sizeof(bytes), fds, &n_fds, &pid);
}

START_TEST(test_carries_packets_whole_and_in_order)
{
    ck_assert_int_eq(channel_send(ours, "first", 5, NULL, 0), 0);
    ck_assert_int_eq(channel_send(ours, "second", 6, NULL, 0), 0);
    ck_assert_int_eq(receive(), 5);
    ck_assert_mem_eq(bytes, "first", 5);
    ck_assert_int_eq(receive(), 6);
    ck_assert_uint_eq(n_fds, 0);
    ck_assert_int_eq(pid, 0);
    ck_assert_int_eq(receive(), -EAGAIN);
}
END_TEST

START_TEST(test_carries_descriptors)
{
    int before = count_descriptors();
    int pair[2], sent[MESSAGE_FDS_MAX];

    ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
    for (size_t i = 0; i < MESSAGE_FDS_MAX; i++)
        sent[i] = pair[1];
    for (size_t n = 1; n <= MESSAGE_FDS_MAX; n++) {
        ck_assert_int_eq(channel_send(ours, "x", 1, sent, n), 0);
        ck_assert_int_eq(receive(), 1);
        ck_assert_uint_eq(n_fds, n);
        for (size_t i = 0; i < n; i++) {
            char c;

            ck_assert_int_eq(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
            ck_assert_int_eq(write(fds[i], "y", 1), 1);
            ck_assert_int_eq(read(pair[0], &c, 1), 1);
            fd_close(fds[i]);
        }
    }
    /* The sender keeps its own. */
    ck_assert_int_ge(fcntl(pair[1], F_GETFD), 0);
    fd_close(pair[0]);
    fd_close(pair[1]);
    ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

START_TEST(test_tells_who_sent_it)
{
    pass_credentials();
    pid_t child = fork();
    if (child == 0)
        _exit(channel_send(ours, "x", 1, &ours, 1) < 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_int_eq(receive(), 1);
    ck_assert_int_eq(pid, child);
    ck_assert_uint_eq(n_fds, 1);
    fd_close(fds[0]);
}
END_TEST

START_TEST(test_refuses_a_packet_that_is_cut)
{
    char longer[sizeof(bytes) + 1] = "";
    int before = count_descriptors();

    ck_assert_int_eq(channel_send(ours, longer, sizeof(longer), &ours, 1), 0);
    ck_assert_int_eq(channel_send(ours, "next", 4, NULL, 0), 0);
    ck_assert_int_eq(receive(), -EBADMSG);
    ck_assert_int_eq(count_descriptors(), before);
    ck_assert_int_eq(receive(), 4);
}
END_TEST

/* What channel_send() would not send. */
static void send_many(int fd, size_t n)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = (char *)"x", .iov_len = 1};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = CMSG_SPACE(n * sizeof(int))};
    struct cmsghdr *header = CMSG_FIRSTHDR(&packet);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(n * sizeof(int));
    for (size_t i = 0; i < n; i++)
        memcpy(CMSG_DATA(header) + i * sizeof(int), &fd, sizeof(int));
    ck_assert_int_eq(sendmsg(ours, &packet, 0), 1);
}

START_TEST(test_refuses_too_many_descriptors)
{
    int sent[MESSAGE_FDS_MAX + 1] = {0};
    int before = count_descriptors();

    ck_assert_int_eq(channel_send(ours, "x", 1, sent, MESSAGE_FDS_MAX + 1), -EINVAL);
    for (int with_credentials = 0; with_credentials < 2; with_credentials++) {
        for (size_t n = MESSAGE_FDS_MAX + 1; n <= 64; n++) {
            send_many(ours, n);
            ck_assert_int_eq(receive(), -EBADMSG);
            ck_assert_int_eq(count_descriptors(), before);
        }
        pass_credentials();
    }
}
END_TEST

/* dispatcherd closes them in its own way. */
START_TEST(test_gives_all_descriptors_to_who_asks_for_any)
{
    char longer[sizeof(bytes) + 1] = "";
    int any[CHANNEL_FDS_MAX];
    int before = count_descriptors();

    for (size_t n = 1; n <= CHANNEL_FDS_MAX; n += 36) {
        send_many(ours, n);
        ck_assert_int_eq(channel_receive_any(theirs, bytes, sizeof(bytes), any, &n_fds, &pid), 1);
        ck_assert_uint_eq(n_fds, n);
        while (n_fds > 0)
            fd_close(any[--n_fds]);
    }
    ck_assert_int_eq(channel_send(ours, longer, sizeof(longer), &ours, 1), 0);
    ck_assert_int_eq(channel_receive_any(theirs, bytes, sizeof(bytes), any, &n_fds, &pid),
                     -EBADMSG);
    ck_assert_uint_eq(n_fds, 1);
    fd_close(any[0]);
    ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

START_TEST(test_tells_of_fewer_descriptors_where_no_more_are_allowed)
{
    int lowest = fcntl(ours, F_DUPFD_CLOEXEC, 0);
    const struct rlimit limit = {(rlim_t)lowest + 2, (rlim_t)lowest + 2};

    fd_close(lowest);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    send_many(ours, 5);
    ck_assert_int_eq(receive(), 1);
    ck_assert_uint_eq(n_fds, 2);
    send_many(ours, 5);
    ck_assert_int_eq(receive(), 1);
    ck_assert_uint_eq(n_fds, 0);
}
END_TEST

START_TEST(test_refuses_an_empty_packet)
{
    int before = count_descriptors();

    ck_assert_int_eq(channel_send(ours, "", 0, &ours, 1), 0);
    ck_assert_int_eq(receive(), -EBADMSG);
    ck_assert_int_eq(count_descriptors(), before);
    pass_credentials();
    ck_assert_int_eq(channel_send(ours, "", 0, NULL, 0), 0);
    ck_assert_int_eq(receive(), -EBADMSG);
    ours = fd_close(ours);
    ck_assert_int_eq(receive(), 0);
    ck_assert_int_eq(receive(), 0);
}
END_TEST

START_TEST(test_a_full_channel_is_to_be_tried_again)
{
    size_t n_sent = 0, n_received = 0;
    int r;

    while ((r = channel_send(ours, "x", 1, NULL, 0)) == 0)
        n_sent++;
    ck_assert_int_eq(r, -EAGAIN);
    ck_assert_uint_gt(n_sent, 100); /* room for what a service has under way */
    while (receive() == 1)
        n_received++;
    ck_assert_uint_eq(n_received, n_sent);
    ck_assert_int_eq(channel_send(ours, "x", 1, NULL, 0), 0);
}
END_TEST

/* The kernel counts descriptors under way for each user, up to RLIMIT_NOFILE. */
START_TEST(test_too_many_descriptors_under_way_are_to_be_tried_again)
{
    int r = 0;

    if (getuid() == 0 && setresuid(12345, 12345, 12345) < 0)
        return; /* root alone has no such limit */
    const struct rlimit limit = {32, 32};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (size_t n = 0; n < 100 && r == 0; n++)
        r = channel_send(ours, "x", 1, &ours, 1);
    ck_assert_int_eq(r, -ETOOMANYREFS);
    while (receive() == 1)
        fd_close(fds[0]);
    ck_assert_int_eq(channel_send(ours, "x", 1, &ours, 1), 0);
}
END_TEST

START_TEST(test_a_closed_channel_is_no_signal)
{
    theirs = fd_close(theirs);
    ck_assert_int_eq(channel_send(ours, "x", 1, NULL, 0), -EPIPE);
    ck_assert_int_eq(channel_send(ours, "x", 1, &ours, 1), -EPIPE);
}
END_TEST

/* The other end dies with unread packets: the kernel says ECONNRESET once, to whoever asks
 * first. */
START_TEST(test_what_a_dying_peer_sent_is_still_read)
{
    for (int ask_by_sending = 0; ask_by_sending < 2; ask_by_sending++) {
        ck_assert_int_eq(channel_send(theirs, "unread", 6, NULL, 0), 0);
        ck_assert_int_eq(channel_send(ours, "one", 3, (const int[]){STDERR_FILENO}, 1), 0);
        ck_assert_int_eq(channel_send(ours, "two", 3, NULL, 0), 0);
        ours = fd_close(ours);
        if (ask_by_sending)
            ck_assert_int_eq(channel_send(theirs, "x", 1, NULL, 0), -EPIPE);
        ck_assert_int_eq(receive(), 3);
        ck_assert_uint_eq(n_fds, 1);
        fd_close(fds[0]);
        ck_assert_int_eq(receive(), 3);
        ck_assert_mem_eq(bytes, "two", 3);
        ck_assert_int_eq(receive(), 0);
        fd_close(theirs);
        setup();
    }
}
END_TEST

/* How dispatcherd gives a worker up: from then on nothing more can come. */
START_TEST(test_what_was_sent_before_a_shutdown_is_still_read)
{
    ck_assert_int_eq(channel_send(ours, "one", 3, NULL, 0), 0);
    ck_assert_int_eq(channel_send(theirs, "unread", 6, NULL, 0), 0);
    ck_assert_int_eq(shutdown(theirs, SHUT_RDWR), 0);
    ck_assert_int_eq(channel_send(ours, "two", 3, NULL, 0), -EPIPE);
    ck_assert_int_eq(receive(), 3);
    ck_assert_int_eq(receive(), 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("channel");
    TCase *tcase = tcase_create("channel");
    static const TTest *const *const tests[] = {
        &test_carries_packets_whole_and_in_order,
        &test_carries_descriptors,
        &test_tells_who_sent_it,
        &test_refuses_a_packet_that_is_cut,
        &test_refuses_too_many_descriptors,
        &test_gives_all_descriptors_to_who_asks_for_any,
        &test_tells_of_fewer_descriptors_where_no_more_are_allowed,
        &test_refuses_an_empty_packet,
        &test_a_full_channel_is_to_be_tried_again,
        &test_too_many_descriptors_under_way_are_to_be_tried_again,
        &test_a_closed_channel_is_no_signal,
        &test_what_a_dying_peer_sent_is_still_read,
        &test_what_was_sent_before_a_shutdown_is_still_read,
    };

    tcase_add_checked_fixture(tcase, setup, teardown);
    for (size_t i = 0; i < ELEMENTSOF(tests); i++)
        tcase_add_test(tcase, *tests[i]);
    suite_add_tcase(suite, tcase);
    return suite;
}
