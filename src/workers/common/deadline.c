/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/common/deadline.h"

#include "base/time.h"

#include <poll.h>

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

struct deadline deadline_after(uint64_t from, uint64_t usual_usec, uint64_t stressed_usec)
{
    return (struct deadline){
        .usual = time_add_usec(from, usual_usec),
        .stressed = time_add_usec(from, earlier(usual_usec, stressed_usec)),
    };
}

struct deadline deadline_earlier(struct deadline a, struct deadline b)
{
    return (struct deadline){
        .usual = earlier(a.usual, b.usual),
        .stressed = earlier(a.stressed, b.stressed),
    };
}

bool deadline_is_stressed(int stress_fd)
{
    struct pollfd entry = {.fd = stress_fd, .events = POLLIN};

    return stress_fd >= 0 && poll(&entry, 1, 0) > 0;
}

bool deadline_is_past(struct deadline deadline, uint64_t now, int stress_fd)
{
    return now >= deadline.usual || (now >= deadline.stressed && deadline_is_stressed(stress_fd));
}
