/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/fleet/breaker.h"

#define DELAY_MIN_USEC UINT64_C(200000)
#define DELAY_MAX_USEC UINT64_C(30000000)

uint64_t breaker_fail(struct breaker *breaker, uint32_t random)
{
    uint64_t delay = breaker->delay_usec > 0 ? breaker->delay_usec : DELAY_MIN_USEC;

    breaker->delay_usec = 2 * delay < DELAY_MAX_USEC ? 2 * delay : DELAY_MAX_USEC;
    delay += random % (delay / 2);
    return delay < DELAY_MAX_USEC ? delay : DELAY_MAX_USEC;
}

void breaker_succeed(struct breaker *breaker)
{
    breaker->delay_usec = 0;
}
