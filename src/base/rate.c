/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/rate.h"

/* The generic cell rate algorithm: each event moves `empty_at` one interval ahead, and it may not
 * be further ahead of the time than the burst. */
bool rate_take(struct rate *rate, uint64_t now)
{
    uint64_t at = rate->empty_at > now ? rate->empty_at : now;

    if (at - now > (rate->burst - 1) * rate->interval_usec)
        return false;
    rate->empty_at = at + rate->interval_usec;
    return true;
}
