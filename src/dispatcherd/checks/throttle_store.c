/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/throttle_store.h"

#include "dispatcherd/store/stored_memory.h"

#include <sys/mman.h>

struct throttle *throttle_store_open(int *fd)
{
    size_t size = throttle_size(THROTTLE_KEYS_MAX);
    void *memory = stored_memory_open(fd, size);
    struct throttle *throttle = memory ? throttle_adopt(memory, size) : NULL;

    if (memory && !throttle)
        (void)munmap(memory, size);
    return throttle;
}

int throttle_store_new(const char *name, const struct siphash_key *key, struct throttle **ret,
                       int *ret_store_error)
{
    void *memory;
    int r = stored_memory_new("dispatcherd-throttle", name, throttle_size(THROTTLE_KEYS_MAX),
                              &memory, ret_store_error);

    if (r == 0)
        *ret = throttle_format(memory, THROTTLE_KEYS_MAX, key);
    return r;
}
