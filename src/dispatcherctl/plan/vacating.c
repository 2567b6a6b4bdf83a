/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/plan/vacating.h"

#include "base/fd.h"
#include "base/syn_filter.h"
#include "dispatcherctl/plan/port_holder.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sent to the guard when nothing is left to do. If it is not sent, the guard lets clients in again.
 */
#define GUARD_DISMISSED 'd'

/* If that descriptor of the process is the socket with that inode, calls change() with a copy.
 * Returns 1 if it is, 0 if it is another one, or a negative errno. */
static int change_if_it(const struct vacating *vacating, int dir, const char *name,
                        unsigned long inode, int (*change)(int fd))
{
    char target[64], wanted[64];
    ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

    if (n < 0)
        return 0;
    target[n] = '\0';
    snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
    if (strcmp(target, wanted) != 0)
        return 0;
    _cleanup_fd_ int fd = (int)syscall(SYS_pidfd_getfd, vacating->pidfd, atoi(name), 0);
    if (fd < 0)
        return -errno;
    int r = change(fd);
    return r < 0 ? r : 1;
}

static int change_socket(const struct vacating *vacating, unsigned long inode,
                         int (*change)(int fd))
{
    char path[64];
    int r = 0;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)vacating->daemon);
    DIR *dir = opendir(path);
    if (!dir)
        return -errno;
    for (const struct dirent *entry; r == 0 && (entry = readdir(dir));)
        r = change_if_it(vacating, dirfd(dir), entry->d_name, inode, change);
    closedir(dir);
    return r < 0 ? r : 0;
}

/* Of a daemon that is gone, nothing is left to do. */
static void let_in_all(const struct vacating *vacating)
{
    for (size_t i = 0; i < vacating->n_inodes; i++)
        (void)change_socket(vacating, vacating->inodes[i], syn_filter_detach);
}

/* A process of its own, in a session of its own, so that signals of the terminal do not reach it.
 */
static void guard(const struct vacating *vacating, int end)
{
    char word = 0;

    (void)setsid();
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    while (recv(end, &word, 1, 0) < 0 && errno == EINTR)
        ;
    if (word != GUARD_DISMISSED)
        let_in_all(vacating);
    _exit(EXIT_SUCCESS);
}

static int start_guard(struct vacating *vacating)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    vacating->guard_pid = fork();
    if (vacating->guard_pid < 0) {
        int r = -errno;
        fd_close(ends[0]);
        fd_close(ends[1]);
        return r;
    }
    if (vacating->guard_pid == 0) {
        fd_close(ends[1]);
        guard(vacating, ends[0]);
    }
    fd_close(ends[0]);
    vacating->guard = ends[1];
    return 0;
}

static int find_inodes(struct vacating *vacating, const struct address_set *addresses)
{
    vacating->inodes = calloc(addresses->n_items + 1, sizeof(*vacating->inodes));
    if (!vacating->inodes)
        return -ENOMEM;
    for (size_t i = 0; i < addresses->n_items; i++) {
        unsigned long inode = port_inode(&addresses->items[i]);

        if (inode > 0)
            vacating->inodes[vacating->n_inodes++] = inode;
    }
    return 0;
}

int vacating_begin(pid_t daemon, const struct address_set *addresses, struct vacating *ret)
{
    struct vacating vacating = {.daemon = daemon, .guard = -1};

    if (daemon <= 0)
        return -ESRCH;
    vacating.pidfd = (int)syscall(SYS_pidfd_open, daemon, 0);
    if (vacating.pidfd < 0)
        return -errno;
    int r = find_inodes(&vacating, addresses);
    if (r == 0)
        r = start_guard(&vacating);
    for (size_t i = 0; i < vacating.n_inodes && r == 0; i++)
        r = change_socket(&vacating, vacating.inodes[i], syn_filter_attach);
    if (r < 0)
        vacating_end(&vacating, true);
    else
        *ret = vacating;
    return r;
}

void vacating_end(struct vacating *vacating, bool let_in)
{
    const char word = GUARD_DISMISSED;

    if (let_in)
        let_in_all(vacating);
    if (vacating->guard >= 0) {
        while (send(vacating->guard, &word, 1, MSG_NOSIGNAL) < 0 && errno == EINTR)
            ;
        fd_close(vacating->guard);
        while (waitpid(vacating->guard_pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    fd_close(vacating->pidfd);
    free(vacating->inodes);
    *vacating = (struct vacating){.pidfd = -1, .guard = -1};
}
