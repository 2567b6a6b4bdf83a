/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/text_file.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

/* Not in linux/magic.h before Linux 6.9: what statfs(2) has for pipe(2). */
#ifndef PIPEFS_MAGIC
#define PIPEFS_MAGIC 0x50495045
#endif

/* A named pipe is in the file system that has its name, a pipe without a name in pipefs. */
static bool is_nameless_pipe(int fd, const struct stat *st)
{
    struct statfs file_system;

    return S_ISFIFO(st->st_mode) && fstatfs(fd, &file_system) == 0 &&
           file_system.f_type == PIPEFS_MAGIC;
}

static const char *kind_fault(mode_t mode)
{
    if (S_ISDIR(mode))
        return "is not a regular file but a directory";
    if (S_ISFIFO(mode))
        return "is not a regular file but a named pipe";
    if (S_ISSOCK(mode))
        return "is not a regular file but a socket";
    return "is not a regular file but a device";
}

int text_file_open(const char *path, bool may_be_stdin, FILE **ret, struct stat *ret_stat,
                   const char **ret_fault)
{
    struct stat st;

    *ret_fault = NULL;
    /* Opening by itself rewinds a tape or starts a watchdog device, and a socket fails with ENXIO.
     * So the file is examined before it is opened, and again afterwards. */
    if (stat(path, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) && !(may_be_stdin && S_ISFIFO(st.st_mode))) {
        *ret_fault = kind_fault(st.st_mode);
        return -EINVAL;
    }
    /* O_NONBLOCK matters for regular files too: read(2) may wait in procfs, and open(2) for a lease
     * (fcntl(2)). */
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    bool is_pipe = may_be_stdin && is_nameless_pipe(fd, &st);
    if (!S_ISREG(st.st_mode) && !is_pipe) {
        *ret_fault = kind_fault(st.st_mode);
        return -EINVAL;
    }
    if (is_pipe) {
        int r = fd_set_nonblocking(fd, false);

        if (r < 0)
            return r;
    }
    FILE *stream = fdopen(fd, "r");
    if (!stream)
        return -errno;
    take_fd(&fd);
    *ret = stream;
    *ret_stat = st;
    return 0;
}
