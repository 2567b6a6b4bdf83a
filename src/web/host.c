/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "web/host.h"

#include "base/address.h"
#include "base/host_name.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

bool host_is_ours(const char *host, const char *const names[], size_t n_names)
{
    struct address address;
    char name[256], own[HOST_NAME_BYTES];

    const char *bracket = *host == '[' ? strchr(host, ']') : NULL;
    size_t length = bracket ? (size_t)(bracket - host) + 1 : strcspn(host, ":");
    if (length == 0 || length >= sizeof(name) || (host[length] && host[length] != ':'))
        return false;
    snprintf(name, sizeof(name), "%.*s", (int)length, host);
    if (address_parse(name, &address) == 0 || str_equal_nocase(name, "localhost"))
        return true;
    for (size_t i = 0; i < n_names; i++)
        if (str_equal_nocase(name, names[i]))
            return true;
    return str_equal_nocase(name, host_name_read(own));
}

bool host_is_valid(const char *host)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "-._~%!$&'()*+,;=:[]";

    return host[strspn(host, allowed)] == '\0';
}
