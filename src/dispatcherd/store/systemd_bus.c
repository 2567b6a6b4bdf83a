/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/store/systemd_bus.h"

#include "base/time.h"
#include "dispatcherd/store/stall_guard.h"

#include <errno.h>
#include <string.h>

#define ASK_LIMIT_USEC (2 * USEC_PER_SEC)

/* The limit of calls holds from here on only: a bus that takes connections and does not greet is
 * waited for by libsystemd for 25 s (measured with 252). */
static int systemd_bus_await(sd_bus *bus)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC), limit = now + ASK_LIMIT_USEC;
    int r = 0;

    while (r >= 0 && sd_bus_is_ready(bus) == 0 && now < limit) {
        r = sd_bus_process(bus, NULL);
        if (r == 0)
            r = sd_bus_wait(bus, limit - now);
        now = time_now_usec(CLOCK_MONOTONIC);
    }
    if (r < 0)
        return r;
    r = sd_bus_is_ready(bus);
    return r == 0 ? -ETIMEDOUT : r < 0 ? r : 0;
}

int systemd_bus_open(sd_bus **ret)
{
    sd_bus *bus = NULL;

    /* A signal would make calls of sd-bus fail. */
    stall_guard_hold();
    int r = sd_bus_open_system(&bus);
    if (r >= 0) {
        sd_bus_set_method_call_timeout(bus, ASK_LIMIT_USEC);
        r = systemd_bus_await(bus);
    }
    if (r < 0) {
        sd_bus_close_unref(bus);
        stall_guard_release();
        return r;
    }
    *ret = bus;
    return 0;
}

void systemd_bus_close(sd_bus **bus)
{
    if (!*bus)
        return;
    sd_bus_flush_close_unref(*bus);
    stall_guard_release();
}

void systemd_bus_message_unref(sd_bus_message **message)
{
    sd_bus_message_unref(*message);
}

int systemd_bus_find_own_unit(sd_bus *bus, char **ret_path)
{
    _cleanup_systemd_bus_message_ sd_bus_message *reply = NULL;
    const char *path;

    int r = sd_bus_call_method(bus, SYSTEMD_BUS_NAME, SYSTEMD_BUS_PATH, SYSTEMD_BUS_NAME ".Manager",
                               "GetUnitByPID", NULL, &reply, "u", 0 /* this process */);
    if (r < 0)
        return r;
    r = sd_bus_message_read(reply, "o", &path);
    if (r < 0)
        return r;
    *ret_path = strdup(path);
    return *ret_path ? 0 : -ENOMEM;
}
