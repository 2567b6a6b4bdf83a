/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/common/unit.h"

#include <stdio.h>

const char *unit_name(const char *service, char name[UNIT_NAME_MAX])
{
    snprintf(name, UNIT_NAME_MAX, "dispatcherd-%.32s-worker@.service", service);
    for (char *c = name; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return name;
}
