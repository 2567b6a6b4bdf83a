/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/source.h"

#include <stdio.h>
#include <string.h>

bool source_of(const struct address *address, struct source *ret)
{
    if (address->family != AF_INET && address->family != AF_INET6)
        return false;
    *ret = (struct source){.family = address->family};
    memcpy(ret->prefix, address->bytes, address->family == AF_INET ? 4 : 8);
    return true;
}

struct address source_network(const struct address *address)
{
    struct address network = *address;

    if (address->family == AF_INET)
        network.bytes[3] = 0;
    else if (address->family == AF_INET6)
        memset(network.bytes + 6, 0, 10);
    return network;
}

const char *source_format(const struct source *source, char text[SOURCE_TEXT_MAX])
{
    struct address address = {.family = (uint16_t)source->family};
    char host[ADDRESS_TEXT_MAX];

    memcpy(address.bytes, source->prefix, source->family == AF_INET ? 4 : 8);
    snprintf(text, SOURCE_TEXT_MAX, "%s%s", address_format_host(&address, host),
             source->family == AF_INET6 ? "/64" : "");
    return text;
}
