/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "config/interface_address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

bool interface_address_is_link_local(const struct interface_address *address)
{
    return address->address.family == AF_INET6 && address->address.bytes[0] == 0xfe &&
           (address->address.bytes[1] & 0xc0) == 0x80;
}

/* The zone becomes part of a line in a unit. No tool names an interface with one of these
 * characters, or with a blank. */
static bool is_zone(const char *zone, size_t length)
{
    if (length == 0 || length >= IF_NAMESIZE)
        return false;
    for (size_t i = 0; i < length; i++)
        if (zone[i] <= ' ' || zone[i] > '~' || strchr("%:/\\\"'[]", zone[i]))
            return false;
    return true;
}

const char *interface_address_parse(const char *text, struct interface_address *ret)
{
    static const char form[] = "an address is written as 192.0.2.1, 2001:db8::1 or fe80::1%eth0";
    struct interface_address read = {0};
    char copy[INTERFACE_ADDRESS_TEXT_MAX];
    size_t length = strlen(text);

    if (length >= 2 && text[0] == '[' && text[length - 1] == ']' && strchr(text, '%')) {
        text++;
        length -= 2;
    }
    if (length >= sizeof(copy))
        return form;
    memcpy(copy, text, length);
    copy[length] = '\0';
    char *percent = strchr(copy, '%');
    if (percent)
        *percent = '\0';
    if (address_parse(copy, &read.address) < 0)
        return form;
    if (percent && !interface_address_is_link_local(&read))
        return "only a link-local address (fe80::/10) has a zone";
    if (percent && !is_zone(percent + 1, strlen(percent + 1)))
        return "the name of an interface must follow the %, as in fe80::1%eth0";
    if (percent)
        strcpy(read.zone, percent + 1);
    *ret = read;
    return NULL;
}

const char *interface_address_format(const struct interface_address *address,
                                     char text[INTERFACE_ADDRESS_TEXT_MAX])
{
    char host[ADDRESS_TEXT_MAX];

    snprintf(text, INTERFACE_ADDRESS_TEXT_MAX, "%s%s%s",
             address_format_host(&address->address, host), address->zone[0] ? "%" : "",
             address->zone);
    return text;
}

struct address interface_address_now(const struct interface_address *address)
{
    struct address now = address->address;

    if (address->zone[0])
        now.scope_id = if_nametoindex(address->zone);
    if (address->zone[0] && now.scope_id == 0)
        now.scope_id = (uint32_t)strtoul(address->zone, NULL, 10);
    return now;
}
