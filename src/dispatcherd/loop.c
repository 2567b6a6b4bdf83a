/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/loop.h"

#include "base/event_source.h"
#include "base/time.h"
#include "dispatcherd/report/report.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* How many turns in a row may fail, and how long to wait after each: a second in all. If a shortage
 * lasts longer, the daemon exits, and its successor takes over everything. */
#define FAILURES_MAX 100
#define PAUSE_USEC   (10 * USEC_PER_MSEC)

int loop_run(sd_event *event)
{
    unsigned n_failures = 0;

    while (sd_event_get_state(event) != SD_EVENT_FINISHED) {
        int r = sd_event_run(event, UINT64_MAX);
        if (r >= 0) {
            n_failures = 0;
            continue;
        }
        if (++n_failures == FAILURES_MAX)
            return r;
        if (n_failures == 1)
            report_daemon(LOG_ERR, "the main loop cannot wait for events: %s; trying again",
                          strerror(-r));
        (void)usleep(PAUSE_USEC);
    }
    return event_loop_exit_code(event);
}
