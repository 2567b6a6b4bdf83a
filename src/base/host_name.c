/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/host_name.h"

#include <string.h>
#include <unistd.h>

#define WITHOUT_A_NAME "localhost"

static const char *or_localhost(char name[HOST_NAME_BYTES])
{
    return name[0] ? name : strcpy(name, WITHOUT_A_NAME);
}

const char *host_name_clean(char name[HOST_NAME_BYTES])
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789-_.";

    for (char *p = name; *p; p++)
        if (!strchr(allowed, *p))
            *p = '-';
    return or_localhost(name);
}

const char *host_name_shorten(char name[HOST_NAME_BYTES])
{
    name[strcspn(name, ".")] = '\0';
    return or_localhost(name);
}

const char *host_name_read(char name[HOST_NAME_BYTES])
{
    if (gethostname(name, HOST_NAME_BYTES) < 0)
        name[0] = '\0';
    name[HOST_NAME_BYTES - 1] = '\0';
    return host_name_clean(name);
}

const char *host_name_read_short(char name[HOST_NAME_BYTES])
{
    host_name_read(name);
    return host_name_shorten(name);
}
