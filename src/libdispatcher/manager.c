/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "libdispatcher/manager.h"

#include "base/notify_socket.h"
#include "base/time.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* How long to wait after the manager was busy. If READY were lost, it would end this worker at its
 * time limit. */
#define RETRY_USEC (100 * USEC_PER_MSEC)

static uint64_t watchdog_interval(void)
{
    const char *usec = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");

    if (!usec || (pid && strtoll(pid, NULL, 10) != (long long)getpid()))
        return 0;
    return strtoull(usec, NULL, 10) / 2;
}

struct manager manager_start(void)
{
    if (!notify_socket_is_set())
        return (struct manager){.next_at = USEC_INFINITY};
    return (struct manager){.owes_ready = true, .watchdog_usec = watchdog_interval()};
}

static bool is_refused(const char *state)
{
    return notify_socket_send(state, -1) == -EAGAIN;
}

void manager_attend(struct manager *manager, uint64_t now)
{
    if (now < manager->next_at)
        return;
    manager->owes_ready = manager->owes_ready && is_refused("READY=1");
    bool owes_watchdog = manager->watchdog_usec > 0 && is_refused("WATCHDOG=1");
    if (manager->owes_ready || owes_watchdog)
        manager->next_at = now + RETRY_USEC;
    else if (manager->watchdog_usec > 0)
        manager->next_at = time_add_usec(now, manager->watchdog_usec);
    else
        manager->next_at = USEC_INFINITY;
}

/* Not STOPPING=1: the manager would then apply TimeoutStopSec=, which is no limit for the sessions
 * of a worker that dispatcherd has retired. */
void manager_say_draining(void)
{
    (void)notify_socket_send("STATUS=Finishing sessions", -1);
}
