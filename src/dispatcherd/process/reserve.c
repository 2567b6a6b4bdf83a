/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/process/reserve.h"

#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

bool reserve_fill(struct reserve *reserve)
{
    while (reserve->n < RESERVE_MAX) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        if (fd < 0)
            return false;
        reserve->fds[reserve->n++] = fd;
    }
    return true;
}

void reserve_release(struct reserve *reserve)
{
    while (reserve->n > 0)
        fd_close(reserve->fds[--reserve->n]);
}

/* Returns 0 if /proc is not available. */
static unsigned long count_open(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned long n = 0;

    if (!dir)
        return 0;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 3; /* without ".", "..", and the descriptor of the folder */
}

/* For each service, the channel and the pidfd of one worker. For all services together, one
 * connection and one client of the control socket. */
#define NEEDED_FOR_A_SERVICE 2
#define NEEDED_FOR_ALL       2

int reserve_check(size_t n_services, unsigned long *ret_limit, unsigned long *ret_needed)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    *ret_limit = limit.rlim_cur;
    *ret_needed = count_open() + RESERVE_MAX + n_services * NEEDED_FOR_A_SERVICE + NEEDED_FOR_ALL;
    return *ret_limit < *ret_needed ? -EMFILE : 0;
}
