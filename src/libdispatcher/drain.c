/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "libdispatcher/drain.h"

#include "base/fd.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int drain_init(struct drain *drain)
{
    drain->recycle_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    drain->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return drain->recycle_fd < 0 || drain->stop_fd < 0 ? -errno : 0;
}

void drain_free(struct drain *drain)
{
    drain->recycle_fd = fd_close(drain->recycle_fd);
    drain->stop_fd = fd_close(drain->stop_fd);
}

static void make_readable(int fd)
{
    const uint64_t one = 1;

    (void)!write(fd, &one, sizeof(one));
}

bool drain_raise(struct drain *drain, enum dispatcher_drain kind)
{
    int before = atomic_load(&drain->kind);

    do
        if (before >= (int)kind)
            return false;
    while (!atomic_compare_exchange_weak(&drain->kind, &before, (int)kind));
    make_readable(drain->recycle_fd);
    if (kind == DISPATCHER_DRAIN_STOP)
        make_readable(drain->stop_fd);
    return before == DISPATCHER_DRAIN_NONE;
}

enum dispatcher_drain drain_kind(const struct drain *drain)
{
    return (enum dispatcher_drain)atomic_load(&drain->kind);
}
