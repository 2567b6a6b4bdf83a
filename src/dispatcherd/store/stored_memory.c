/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/store/stored_memory.h"

#include "base/fd.h"
#include "base/memfd.h"
#include "dispatcherd/store/store.h"

#include <errno.h>
#include <sys/mman.h>

static void *map(int fd, size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

void *stored_memory_open(int *fd, size_t size)
{
    _cleanup_fd_ int memfd = take_fd(fd);

    return memfd_is_mappable(memfd, size) ? map(memfd, size) : NULL;
}

int stored_memory_new(const char *label, const char *name, size_t size, void **ret,
                      int *ret_store_error)
{
    _cleanup_fd_ int fd = memfd_new_sized(label, size);

    if (fd < 0)
        return fd;
    void *memory = map(fd, size);
    if (!memory)
        return -errno;
    *ret = memory;
    *ret_store_error = store_add(name, fd);
    return 0;
}
