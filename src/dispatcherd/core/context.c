/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/context.h"

#include "base/time.h"

#include <sys/random.h>

void context_init_ids(struct context *context)
{
    uint32_t start;

    if (getrandom(&start, sizeof(start), GRND_NONBLOCK) != sizeof(start))
        start = (uint32_t)time_now_usec(CLOCK_REALTIME);
    /* In log lines, zero means "no connection". */
    *context->next_connection_id = ((uint64_t)start << 32) + 1;
}

uint64_t context_new_connection_id(struct context *context)
{
    return (*context->next_connection_id)++;
}
