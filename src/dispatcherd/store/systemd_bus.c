/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/store/systemd_bus.h"

#include "base/time.h"
#include "dispatcherd/store/stall_guard.h"

#include <errno.h>
#include <string.h>

#define ASK_LIMIT_USEC (2 * USEC_PER_SEC)

int systemd_bus_open(sd_bus **ret)
{
    /* A signal would make calls of sd-bus fail. */
    stall_guard_hold();
    int r = sd_bus_open_system(ret);
    if (r < 0) {
        stall_guard_release();
        return r;
    }
    sd_bus_set_method_call_timeout(*ret, ASK_LIMIT_USEC);
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
