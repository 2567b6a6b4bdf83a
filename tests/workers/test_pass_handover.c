/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The hand-over to a program that knows nothing of us, byte by byte. */
#include "support/suite.h"

#include "base/fd.h"
#include "workers/pass/handover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int listener, pair[2];

static void set_up(void)
{
    snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/test_pass_handover.%d",
             (int)getpid());
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listener, 0), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
}

static void tear_down(void)
{
    fd_close(listener);
    fd_close(pair[0]);
    fd_close(pair[1]);
    unlink(address.sun_path);
}

static const struct handover_client someone = {
    .peer_host = "192.0.2.1", .local_host = "192.0.2.25", .peer_port = 40000, .local_port = 25};

/* As Postfix does: one byte with the descriptor, then the rest. Returns the descriptor. */
static int receive(int from, char *rest, size_t size, ssize_t *ret_length)
{
    char byte = 'x';
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control.bytes)};
    int fd;

    ck_assert_int_eq(recvmsg(from, &message, MSG_CMSG_CLOEXEC), 1);
    ck_assert_int_eq(byte, 0);
    ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&message));
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
    *ret_length = size > 0 ? recv(from, rest, size, MSG_DONTWAIT) : 0;
    return fd;
}

static int send_someone(enum pass_format format)
{
    char bytes[HANDOVER_BYTES_MAX];
    size_t length = handover_write(format, &someone, bytes);
    int target = handover_connect(address.sun_path);

    ck_assert_int_ge(target, 0);
    ck_assert_int_eq(handover_send(target, pair[0], bytes, length), 0);
    return target;
}

START_TEST(test_postfix_gets_the_descriptor_and_four_attributes)
{
    static const char expected[] = "client_address\000192.0.2.1\0client_port\00040000\0"
                                   "server_address\000192.0.2.25\0server_port\00025\0";
    char rest[HANDOVER_BYTES_MAX];
    ssize_t length;
    int target = send_someone(PASS_FORMAT_POSTFIX);
    int from = accept(listener, NULL, NULL);
    int fd = receive(from, rest, sizeof(rest), &length);

    ck_assert_int_eq(length, sizeof(expected));
    ck_assert_mem_eq(rest, expected, sizeof(expected));
    ck_assert_int_eq(write(fd, "hello", 5), 5);
    ck_assert_int_eq(read(pair[1], rest, sizeof(rest)), 5);
    ck_assert_int_eq(handover_look(target), HANDOVER_OPEN);
    fd_close(from);
    ck_assert_int_eq(handover_look(target), HANDOVER_TAKEN);
    fd_close(fd);
    fd_close(target);
}
END_TEST

START_TEST(test_an_address_with_an_interface_is_left_to_the_socket)
{
    const struct handover_client link_local = {.peer_host = "fe80::1%2", .local_host = "fe80::2%2"};
    char bytes[HANDOVER_BYTES_MAX];

    ck_assert_uint_eq(handover_write(PASS_FORMAT_POSTFIX, &link_local, bytes), 2);
    ck_assert_mem_eq(bytes, "\0\0", 2);
}
END_TEST

START_TEST(test_a_program_of_ones_own_gets_one_byte)
{
    char rest[HANDOVER_BYTES_MAX];
    ssize_t length;
    int target = send_someone(PASS_FORMAT_BYTE);
    int from = accept(listener, NULL, NULL);
    int fd = receive(from, rest, sizeof(rest), &length);

    ck_assert_int_eq(length, -1);
    fd_close(from);
    ck_assert_int_eq(handover_look(target), HANDOVER_TAKEN);
    fd_close(fd);
    fd_close(target);
}
END_TEST

START_TEST(test_a_program_that_ends_with_it_unread_returns_it)
{
    int target = send_someone(PASS_FORMAT_POSTFIX);
    ssize_t length;

    if (_i == 0) {
        listener = fd_close(listener); /* not accepted */
    } else {
        int from = accept(listener, NULL, NULL);

        if (_i == 2) /* the attributes are unread */
            fd_close(receive(from, NULL, 0, &length));
        fd_close(from);
    }
    ck_assert_int_eq(handover_look(target), HANDOVER_RETURNED);
    fd_close(target);
}
END_TEST

START_TEST(test_a_full_queue_is_told_from_an_absent_program)
{
    int target = send_someone(PASS_FORMAT_BYTE);

    ck_assert_int_eq(handover_connect(address.sun_path), -EAGAIN);
    fd_close(target);
    listener = fd_close(listener);
    ck_assert_int_eq(handover_connect(address.sun_path), -ECONNREFUSED);
    unlink(address.sun_path);
    ck_assert_int_eq(handover_connect(address.sun_path), -ENOENT);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("pass_handover");
    TCase *tests = tcase_create("hand-over");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, test_postfix_gets_the_descriptor_and_four_attributes);
    tcase_add_test(tests, test_an_address_with_an_interface_is_left_to_the_socket);
    tcase_add_test(tests, test_a_program_of_ones_own_gets_one_byte);
    tcase_add_loop_test(tests, test_a_program_that_ends_with_it_unread_returns_it, 0, 3);
    tcase_add_test(tests, test_a_full_queue_is_told_from_an_absent_program);
    suite_add_tcase(suite, tests);
    return suite;
}
