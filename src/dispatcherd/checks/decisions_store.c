/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/decisions_store.h"

#include "base/time.h"
#include "dispatcherd/store/stored_memory.h"

#include <sys/mman.h>

struct decisions *decisions_store_open(int *fd)
{
    size_t size = decisions_size(DECISIONS_MAX);
    void *memory = stored_memory_open(fd, size);
    struct decisions *decisions =
        memory ? decisions_adopt(memory, size, time_now_usec(CLOCK_MONOTONIC)) : NULL;

    if (memory && !decisions)
        (void)munmap(memory, size);
    return decisions;
}

int decisions_store_new(const char *name, struct decisions **ret, int *ret_store_error)
{
    void *memory;
    int r = stored_memory_new("dispatcherd-decisions", name, decisions_size(DECISIONS_MAX), &memory,
                              ret_store_error);

    if (r == 0)
        *ret = decisions_format(memory, DECISIONS_MAX, time_now_usec(CLOCK_MONOTONIC));
    return r;
}
