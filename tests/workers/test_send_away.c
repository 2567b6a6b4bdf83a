/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "workers/common/send_away.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A connection over loopback, whose close is that of TCP. */
static void connect_pair(int fds[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fds[0], (struct sockaddr *)&address, length), 0);
    fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(fds[1], 0);
    close(listener);
}

/* What the client reads until the end. */
static ssize_t read_all(int fd, char *text, size_t size)
{
    size_t n = 0;
    ssize_t r;

    while ((r = recv(fd, text + n, size - 1 - n, 0)) > 0)
        n += (size_t)r;
    text[n] = '\0';
    return r < 0 ? -errno : (ssize_t)n;
}

START_TEST(test_says_come_back_and_no_reset_overtakes_it)
{
    char text[100];
    int fds[2];

    connect_pair(fds);
    ck_assert_int_eq(send(fds[0], "EHLO too.early\r\n", 16, 0), 16);
    /* So that it has arrived. */
    ck_assert_int_eq(recv(fds[1], text, 16, MSG_PEEK | MSG_WAITALL), 16);
    send_away(fds[1], COME_BACK_SMTP);
    close(fds[1]);
    ck_assert_int_gt(read_all(fds[0], text, sizeof(text)), 0);
    ck_assert_str_eq(text, "421 4.3.2 too busy, come back later\r\n");
    close(fds[0]);
}
END_TEST

START_TEST(test_says_nothing_where_the_protocol_is_unknown)
{
    char text[100];
    int fds[2];

    connect_pair(fds);
    send_away(fds[1], COME_BACK_UNKNOWN);
    close(fds[1]);
    ck_assert_int_eq(read_all(fds[0], text, sizeof(text)), 0);
    close(fds[0]);
}
END_TEST

START_TEST(test_does_not_wait_for_a_client_that_reads_nothing)
{
    static char block[65536];
    int fds[2];

    connect_pair(fds);
    while (send(fds[1], block, sizeof(block), MSG_DONTWAIT) > 0)
        ;
    send_away(fds[1], COME_BACK_IMAP);
    close(fds[1]);
    close(fds[0]);
}
END_TEST

START_TEST(test_each_protocol_has_a_text_of_one_line)
{
    static const uint16_t ports[] = {21, 25, 110, 119, 143, 587};

    for (size_t i = 0; i < ELEMENTSOF(ports); i++)
        for (int cause = 0; cause < COME_BACK_N_CAUSES; cause++) {
            const char *text = come_back_text(come_back_protocol_of_port(ports[i]), cause);
            size_t length = strlen(text);

            ck_assert_uint_gt(length, 2);
            ck_assert_str_eq(text + length - 2, "\r\n");
        }
    ck_assert_int_eq(come_back_protocol_of_port(993), COME_BACK_UNKNOWN);
}
END_TEST

SUITE("send_away", NULL, NULL, test_says_come_back_and_no_reset_overtakes_it,
      test_says_nothing_where_the_protocol_is_unknown,
      test_does_not_wait_for_a_client_that_reads_nothing, test_each_protocol_has_a_text_of_one_line)
