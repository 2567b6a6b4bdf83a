/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* When to try again to reach a store that failed: one attempt after a delay that doubles from 0.2
 * to 30 s, and by a random part more, so that the hosts of a fleet do not come all at once. */
#pragma once

#include <stdint.h>

/* All zero at first. */
struct breaker {
    uint64_t delay_usec;
};

/* It has failed. `random` is any number. Returns after how long to try again, in microseconds. */
uint64_t breaker_fail(struct breaker *breaker, uint32_t random);

/* It works. */
void breaker_succeed(struct breaker *breaker);
