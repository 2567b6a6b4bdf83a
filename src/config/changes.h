/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How two versions of dispatcher.cnf differ. Pure, for a look at a change before it is in force. */
#pragma once

#include "config/options.h"

/* One option that differs. Names and origin belong to the configurations. */
struct config_change {
    const char *service; /* NULL: of the Dispatcher itself */
    const char *option;
    char *from; /* owned: its values as they are written, one a line; "": not set */
    char *to;
    struct origin
        origin; /* of the new value; without a file: the default, or the section is gone */
};

/* Owns its items. All zero is an empty list. */
struct config_changes {
    struct config_change *items;
    size_t n_items;
};

/* Finds what differs between the enabled services of both, and in the options of the Dispatcher
 * itself. Of a service that only the new one has, the options that are written in the file are
 * listed; of a service that is gone, none. Both must outlive the list. Returns 0 or -ENOMEM (*ret
 * untouched). */
int config_changes_find(const struct config *from, const struct config *to,
                        struct config_changes *ret);

void config_changes_clear(struct config_changes *changes);

/* The service of that name; NULL if there is none, or if it is disabled. */
const struct service_options *config_find_enabled(const struct config *config, const char *name);
