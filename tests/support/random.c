/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/random.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>

struct random_source random_start(void)
{
    const char *text = getenv("TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : time_now_usec(CLOCK_REALTIME);

    printf("TEST_SEED=%" PRIu64 "\n", seed);
    fflush(stdout);
    return (struct random_source){.state = seed};
}

/* SplitMix64: short, and good enough for choosing cases. */
uint64_t random_next(struct random_source *source)
{
    uint64_t z = source->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t random_between(struct random_source *source, uint64_t min, uint64_t max)
{
    return min + random_next(source) % (max - min + 1);
}
