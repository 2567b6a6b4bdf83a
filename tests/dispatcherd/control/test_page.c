/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which client is the page. The test plays libsystemd, which reads the control group of the
 * peer, and a kernel that has no handles of processes. */
#include "access/tcp.h"
#include "base/fd.h"
#include "base/macro.h"
#include "dispatcherd/control/page.h"
#include "support/suite.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#define PAGE "dispatcherd-web.service"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static const char *played_unit; /* NULL: the true one */
static int played_error;
static bool is_old_kernel;

int sd_peer_get_unit(int fd, char **ret)
{
    int (*get_unit)(int, char **);

    if (played_error)
        return played_error;
    if (!played_unit) {
        *(void **)&get_unit = dlsym(RTLD_NEXT, "sd_peer_get_unit");
        return get_unit(fd, ret);
    }
    *ret = strdup(played_unit);
    return *ret ? 0 : -ENOMEM;
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
    if (is_old_kernel && option == SO_PEERPIDFD) {
        errno = ENOPROTOOPT;
        return -1;
    }
    return (int)syscall(SYS_getsockopt, fd, level, option, value, length);
}

static int one = -1, other = -1;

static bool kernel_has_handles(void)
{
    int handle = -1;
    socklen_t length = sizeof(handle);

    if (getsockopt(one, SOL_SOCKET, SO_PEERPIDFD, &handle, &length) < 0)
        return false;
    fd_close(handle);
    return true;
}

static void set_up(void)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    one = ends[0];
    other = ends[1];
}

static void tear_down(void)
{
    one = fd_close(one);
    other = fd_close(other);
}

START_TEST(test_the_page_is_known_by_its_unit)
{
    played_unit = PAGE;
    ck_assert(control_page_is_peer(one));
    is_old_kernel = true;
    ck_assert(control_page_is_peer(one));
}
END_TEST

START_TEST(test_nobody_else_is_the_page)
{
    static const char *const units[] = {"dispatcherd.service",
                                        "dispatcherd-web.socket",
                                        "dispatcherd-web@1.service",
                                        "dispatcherd-web.service.x",
                                        "x-dispatcherd-web.service",
                                        "user@1000.service",
                                        ""};

    ck_assert(!control_page_is_peer(one)); /* nor is this test */
    for (size_t i = 0; i < ELEMENTSOF(units); i++) {
        played_unit = units[i];
        ck_assert_msg(!control_page_is_peer(one), "%s", units[i]);
    }
}
END_TEST

/* As a peer in no unit, or in that of a container. */
START_TEST(test_who_has_no_unit_is_not_the_page)
{
    played_error = -ENODATA;
    ck_assert(!control_page_is_peer(one));
    is_old_kernel = true;
    ck_assert(!control_page_is_peer(one));
}
END_TEST

/* What has no peer at all: whose group libsystemd would have read, nobody knows. */
START_TEST(test_without_a_peer_there_is_no_page)
{
    int client, server, pipe_fds[2];

    played_unit = PAGE;
    ck_assert(!control_page_is_peer(-1));
    ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
    ck_assert(!control_page_is_peer(pipe_fds[0]));
    tcp_pair(&client, &server);
    ck_assert(!kernel_has_handles() || !control_page_is_peer(server));
    fd_close(client);
    fd_close(server);
    fd_close(pipe_fds[0]);
    fd_close(pipe_fds[1]);
}
END_TEST

/* A connection of a process that has ended, which is reaped already or not. */
static int connection_of_the_dead(bool is_reaped)
{
    static const struct sockaddr_un nowhere = {.sun_family = AF_UNIX};
    struct sockaddr_un address = {0};
    socklen_t length = sizeof(address);
    siginfo_t info;

    _cleanup_fd_ int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (const struct sockaddr *)&nowhere, sizeof(sa_family_t)), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(connect(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                      (const struct sockaddr *)&address, length) == 0
                  ? EXIT_SUCCESS
                  : EXIT_FAILURE);
    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | (is_reaped ? 0 : WNOWAIT)), 0);
    ck_assert_int_eq(info.si_status, EXIT_SUCCESS);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return fd;
}

/* Its number may be another process's by now. */
START_TEST(test_who_has_ended_is_not_the_page)
{
    if (!kernel_has_handles())
        return;
    played_unit = PAGE;
    for (int is_reaped = 0; is_reaped < 2; is_reaped++) {
        _cleanup_fd_ int fd = connection_of_the_dead(is_reaped);

        ck_assert_msg(!control_page_is_peer(fd), is_reaped ? "reaped" : "not reaped");
    }
}
END_TEST

SUITE("page", set_up, tear_down, test_the_page_is_known_by_its_unit, test_nobody_else_is_the_page,
      test_who_has_no_unit_is_not_the_page, test_without_a_peer_there_is_no_page,
      test_who_has_ended_is_not_the_page)
