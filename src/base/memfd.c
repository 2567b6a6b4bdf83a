/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/memfd.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

int memfd_new(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

    return fd < 0 ? -errno : fd;
}

int memfd_new_sized(const char *name, size_t size)
{
    _cleanup_fd_ int fd = memfd_new(name);

    if (fd < 0)
        return fd;
    if (ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, SIZE_SEALS) < 0)
        return -errno;
    return take_fd(&fd);
}

int memfd_freeze(int fd)
{
    /* Without this, a configuration read from it would be reported as writable by others. */
    if (fchmod(fd, 0400) < 0 || fcntl(fd, F_ADD_SEALS, SIZE_SEALS | F_SEAL_WRITE) < 0)
        return -errno;
    return 0;
}

bool memfd_is_mappable(int fd, size_t size)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);

    return seals >= 0 && (seals & F_SEAL_SHRINK) && fstat(fd, &st) == 0 &&
           (size_t)st.st_size == size;
}
