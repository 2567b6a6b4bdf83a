/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "libdispatcher/stress.h"

#include "base/fd.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int stress_init(struct stress *stress)
{
    stress->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return stress->fd < 0 ? -errno : 0;
}

void stress_free(struct stress *stress)
{
    stress->fd = fd_close(stress->fd);
}

void stress_set(struct stress *stress, bool is_on)
{
    uint64_t count = 1;

    if (atomic_exchange(&stress->is_on, is_on) == is_on)
        return;
    if (is_on)
        (void)!write(stress->fd, &count, sizeof(count));
    else
        (void)!read(stress->fd, &count, sizeof(count));
}
