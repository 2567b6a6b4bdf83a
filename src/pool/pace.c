/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "pool/pace.h"

#include "base/time.h"

/* Wake-ups with less time between them are a burst. */
#define BURST_USEC 100

/* Yielding has paid if a client was let in for each so many microseconds that others ran. */
#define PAYS_USEC 200

/* How long we do not yield if it has not paid once, and if it never does. */
#define PATIENCE_MIN_USEC USEC_PER_MSEC
#define PATIENCE_MAX_USEC USEC_PER_SEC

/* As others who back off do: twice as long each time that it was in vain. */
static void judge_yield(struct pace *pace, uint64_t now, uint64_t n_admitted)
{
    if (pace->yielded_usec == 0)
        return;
    if (pace->yielded_usec <= (n_admitted - pace->n_admitted) * PAYS_USEC) {
        pace->patience_usec /= 2;
        return;
    }
    pace->patience_usec *= 2;
    if (pace->patience_usec < PATIENCE_MIN_USEC)
        pace->patience_usec = PATIENCE_MIN_USEC;
    if (pace->patience_usec > PATIENCE_MAX_USEC)
        pace->patience_usec = PATIENCE_MAX_USEC;
    pace->yield_again_at = now + pace->patience_usec;
}

bool pace_woken(struct pace *pace, uint64_t now, uint64_t n_admitted)
{
    judge_yield(pace, now, n_admitted);
    pace->is_quick = pace->n_accepted > 1 || now < pace->woken_at + BURST_USEC;
    pace->woken_at = now;
    pace->n_accepted = 0;
    pace->n_admitted = n_admitted;
    pace->yielded_usec = 0;
    return pace->is_quick && now >= pace->yield_again_at;
}

void pace_yielded(struct pace *pace, uint64_t now)
{
    pace->yielded_usec = now - pace->woken_at;
}

bool pace_accepted(struct pace *pace)
{
    pace->n_accepted++;
    return pace->is_quick;
}
