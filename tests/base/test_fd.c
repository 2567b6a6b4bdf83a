/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static bool is_dev_null(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* Every set of holes among 0, 1 and 2. */
START_TEST(test_fills_the_holes_and_nothing_else)
{
    for (int holes = 0; holes < 8; holes++) {
        int saved[3], results[3], flags[3];
        int probe = dup(0);

        for (int fd = 0; fd < 3; fd++) {
            saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
            dup2(probe, fd);
            if (holes & 1 << fd)
                close(fd);
        }
        int r = fd_fill_standard(holes & 1 ? O_RDWR : O_RDONLY);
        for (int fd = 0; fd < 3; fd++) {
            results[fd] = is_dev_null(fd);
            flags[fd] = fcntl(fd, F_GETFL) & O_ACCMODE;
        }
        int next = dup(probe);
        for (int fd = 0; fd < 3; fd++) {
            dup2(saved[fd], fd);
            close(saved[fd]);
        }
        ck_assert_int_eq(r, 0);
        ck_assert_int_eq(next, probe + 1); /* nothing stays open beside them */
        for (int fd = 0; fd < 3; fd++)
            if (holes & 1 << fd) {
                ck_assert(results[fd]);
                ck_assert_int_eq(flags[fd], holes & 1 ? O_RDWR : O_RDONLY);
            }
        close(next);
        close(probe);
    }
}
END_TEST

SUITE("fd", NULL, NULL, test_fills_the_holes_and_nothing_else)
