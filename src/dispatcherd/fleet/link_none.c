/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* In place of link.c, if dispatcherd is built without libhiredis. The option FLEET is an error then
 * (config/value_servers.c), so there never is a link. */
#include "dispatcherd/fleet/link.h"

#include "base/macro.h"

#include <errno.h>

int fleet_link_new(_unused_ sd_event *event, _unused_ const struct fleet_link_settings *settings,
                   _unused_ const struct fleet_link_callbacks *callbacks,
                   _unused_ struct fleet_link **ret)
{
    return -EOPNOTSUPP;
}

void fleet_link_free(_unused_ struct fleet_link *link)
{
}

void fleet_link_send(_unused_ struct fleet_link *link, _unused_ const struct fleet_batch *batch)
{
}

bool fleet_link_is_up(_unused_ const struct fleet_link *link)
{
    return false;
}

uint64_t fleet_link_since(_unused_ const struct fleet_link *link)
{
    return 0;
}

const char *fleet_link_store(_unused_ const struct fleet_link *link)
{
    return "";
}

const char *fleet_link_reason(_unused_ const struct fleet_link *link)
{
    return "";
}

void fleet_link_figures(_unused_ const struct fleet_link *link, _unused_ uint64_t now,
                        struct fleet_link_figures *ret)
{
    *ret = (struct fleet_link_figures){0};
}
