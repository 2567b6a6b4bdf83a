#include "dispatcherd/pace.h"

#include "base/time.h"

/* Wake-ups with less time between them are a burst. */
#define BURST_USEC 100

/* Our own workers and clients give the processor back sooner than this. */
#define YIELD_LIMIT_USEC (2 * USEC_PER_MSEC)

/* How long we do not yield to others that did not. */
#define GREEDY_USEC USEC_PER_SEC

bool pace_woken(struct pace *pace, uint64_t now)
{
    pace->is_quick = pace->n_accepted > 1 || now < pace->woken_at + BURST_USEC;
    pace->woken_at = now;
    pace->n_accepted = 0;
    return pace->is_quick && now >= pace->yield_again_at;
}

void pace_yielded(struct pace *pace, uint64_t now, uint64_t usec)
{
    if (usec >= YIELD_LIMIT_USEC)
        pace->yield_again_at = now + GREEDY_USEC;
}

bool pace_accepted(struct pace *pace)
{
    pace->n_accepted++;
    return pace->is_quick;
}
