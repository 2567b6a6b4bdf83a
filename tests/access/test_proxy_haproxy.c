/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A real proxy in front: what HAProxy sends is read as it is meant. */
#include "access/tcp.h"
#include "support/suite.h"

#include "access/proxy_reader.h"
#include "base/fd.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define HAPROXY "/usr/sbin/haproxy"

static struct address name_of(int fd, int (*name)(int, struct sockaddr *, socklen_t *))
{
    struct sockaddr_storage sa;
    socklen_t length = sizeof(sa);

    ck_assert_int_eq(name(fd, (struct sockaddr *)&sa, &length), 0);
    return address_from_sockaddr((const struct sockaddr *)&sa, length);
}

/* A proxy that listens on the socket `front` and passes on to where `back` listens. */
static pid_t start_haproxy(const char *file, int front, int back, const char *option)
{
    struct address address = name_of(back, getsockname);
    FILE *stream = fopen(file, "we");

    ck_assert_ptr_nonnull(stream);
    fprintf(stream,
            "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 20s\n"
            "  timeout server 20s\n"
            "listen test\n  bind fd@%d\n  server back 127.0.0.1:%u %s\n",
            front, address.port, option);
    ck_assert_int_eq(fclose(stream), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)fd_set_cloexec(front, false);
        execl(HAPROXY, HAPROXY, "-q", "-db", "-f", file, NULL);
        _exit(127);
    }
    return pid;
}

static bool is_told;
static struct proxy_result told;

static void on_result(_unused_ struct proxy_reader *reader, const struct proxy_result *result,
                      _unused_ void *userdata)
{
    is_told = true;
    told = *result;
}

/* The server's end of a connection that the proxy has passed on. */
static void check_passed_on(int client, int server)
{
    struct address peer = name_of(client, getsockname), local = name_of(client, getpeername);
    struct proxy_reader *reader;
    char bytes[100];
    sd_event *event;

    ck_assert_int_ge(sd_event_new(&event), 0);
    is_told = false;
    ck_assert_int_eq(
        proxy_reader_start(event, server, 5 * PROXY_READER_LIMIT_USEC, on_result, NULL, &reader),
        0);
    loop_until_flag(event, &is_told);
    ck_assert_msg(told.outcome == PROXY_READ, "%s", told.fault);
    ck_assert(told.is_proxied);
    ck_assert(address_equal(&told.peer, &peer));
    ck_assert(address_equal(&told.local, &local));
    proxy_reader_free(reader);
    sd_event_unref(event);

    tcp_send(client, "EHLO x\r\n", 8);
    ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
    ck_assert_int_eq(fd_set_nonblocking(server, false), 0);
    ck_assert_uint_eq(tcp_read_to_end(server, bytes, sizeof(bytes)), 8);
    ck_assert_int_eq(memcmp(bytes, "EHLO x\r\n", 8), 0);
}

static void check_haproxy(bool is_ipv6, const char *option)
{
    char dir[] = "/tmp/test-haproxy-XXXXXX", file[60];
    int front = tcp_listen(is_ipv6), back = tcp_listen(false);

    if (access(HAPROXY, X_OK) < 0 || front < 0) {
        printf("left out: no %s\n", front < 0 ? "::1" : HAPROXY);
        return;
    }
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(file, sizeof(file), "%s/haproxy.cfg", dir);
    pid_t pid = start_haproxy(file, front, back, option);
    for (unsigned i = 0; i < 3; i++) {
        int client = tcp_connect(front), server = tcp_accept(back);

        check_passed_on(client, server);
        close(client);
        close(server);
    }
    kill(pid, SIGTERM);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    unlink(file);
    rmdir(dir);
    close(front);
    close(back);
}

START_TEST(test_version_1)
{
    check_haproxy(false, "send-proxy");
}
END_TEST

START_TEST(test_version_2)
{
    check_haproxy(false, "send-proxy-v2");
}
END_TEST

START_TEST(test_version_1_over_ipv6)
{
    check_haproxy(true, "send-proxy");
}
END_TEST

/* With a checksum and an identifier behind the addresses. */
START_TEST(test_version_2_over_ipv6_with_more)
{
    check_haproxy(true, "send-proxy-v2 proxy-v2-options crc32c,unique-id");
}
END_TEST

SUITE("HAProxy", NULL, NULL, test_version_1, test_version_2, test_version_1_over_ipv6,
      test_version_2_over_ipv6_with_more)
