/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/common/wait.h"

#include "base/time.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

static int poll_until(struct pollfd entries[], nfds_t n_entries, uint64_t deadline_usec,
                      uint64_t now)
{
    /* Rounded up, so that the last wait does not become a busy loop. */
    uint64_t msec = (deadline_usec - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
    int n = poll(entries, n_entries, msec > INT_MAX ? INT_MAX : (int)msec);

    return n < 0 ? -errno : n;
}

int wait_until_ready(const struct wait_for *wait, struct deadline deadline)
{
    struct pollfd entries[] = {
        {.fd = wait->fd, .events = wait->events},
        {.fd = wait->stop_fd, .events = POLLIN},
        {.fd = wait->stress_fd, .events = POLLIN},
    };

    for (;;) {
        uint64_t now = time_now_usec(CLOCK_MONOTONIC);
        bool is_stressed = entries[2].fd < 0 && wait->stress_fd >= 0;

        if (deadline_is_past(deadline, now, wait->stress_fd))
            return -ETIMEDOUT;
        if (is_stressed && now >= deadline.stressed) {
            entries[2].fd = wait->stress_fd;
            is_stressed = false;
        }
        int n = poll_until(entries, 3, is_stressed ? deadline.stressed : deadline.usual, now);
        if (n < 0 && n != -EINTR)
            return n;
        if (n <= 0)
            continue;
        if (entries[1].revents)
            return -ECANCELED;
        if (entries[0].revents)
            return 0;
        /* It stays readable, and would end every further wait at once. */
        entries[2].fd = -1;
    }
}
