/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/views/daemon.h"

#include "base/str.h"

size_t control_daemon_find(const struct control_daemon *daemon, const char *name)
{
    size_t found = daemon->n_services;

    /* The one in force takes precedence over those that drain. */
    for (size_t i = 0; i < daemon->n_services; i++)
        if (str_equal_nocase(daemon->services[i]->options->name, name)) {
            found = i;
            if (!daemon->services[i]->is_going)
                break;
        }
    return found;
}
