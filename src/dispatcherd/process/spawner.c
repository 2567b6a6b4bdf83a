/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/process/spawner.h"

#include <string.h>

const struct spawner *spawner_find(const char *name)
{
    static const struct spawner *const spawners[] = {&spawner_self, &spawner_unit};

    for (size_t i = 0; i < ELEMENTSOF(spawners); i++)
        if (strcmp(spawners[i]->name, name) == 0)
            return spawners[i];
    return NULL;
}

bool spawner_can_start(const struct spawner *spawner, const struct service_options *options)
{
    return !spawner->can_start || spawner->can_start(options);
}
