/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/store/store_limit.h"

#include "base/str.h"
#include "dispatcherd/store/systemd_bus.h"
#include "generator/unit_text.h"

#include <stdint.h>
#include <stdlib.h>

static size_t ask(sd_bus *bus, const char *unit_path)
{
    uint32_t limit = 0;

    int r =
        sd_bus_get_property_trivial(bus, SYSTEMD_BUS_NAME, unit_path, SYSTEMD_BUS_NAME ".Service",
                                    "FileDescriptorStoreMax", NULL, 'u', &limit);
    return r < 0 ? 0 : limit;
}

/* systemd sets $FDSTORE since version 254. */
size_t store_limit_of_this_unit(void)
{
    _cleanup_systemd_bus_ sd_bus *bus = NULL;
    _cleanup_str_ char *path = NULL;
    const char *told = getenv("FDSTORE");

    if (told)
        return (size_t)strtoul(told, NULL, 10);
    if (systemd_bus_open(&bus) < 0 || systemd_bus_find_own_unit(bus, &path) < 0)
        return 0;
    return ask(bus, path);
}

size_t store_limit_of_daemon(void)
{
    _cleanup_systemd_bus_ sd_bus *bus = NULL;
    _cleanup_str_ char *path = NULL;

    if (systemd_bus_open(&bus) < 0 ||
        sd_bus_path_encode(SYSTEMD_BUS_PATH "/unit", UNIT_DAEMON, &path) < 0)
        return 0;
    return ask(bus, path);
}
