/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whether systemd has the units that dispatcher.cnf asks for: it reads them at daemon-reload only,
 * and passes sockets only when the daemon starts (systemd.socket(5)). */
#pragma once

#include "config/options.h"
#include "dispatcherd/core/due.h"

/* The socket units as they were when the daemon started, which had its sockets from them. Owns its
 * items. All zero: there were none. */
struct unit_marks {
    struct unit_mark *items;
    size_t n_items;
};

/* Notes the units of this moment. */
void unit_marks_take(struct unit_marks *ret);

void unit_marks_clear(struct unit_marks *marks);

/* Whether the generator reads that file, on a host that systemd runs. */
bool units_due_applies(const char *config_file);

struct units_due_question {
    const struct config *config;
    const char *config_file;        /* `config` was read from it */
    const struct unit_marks *marks; /* NULL: not asked by a daemon that runs */
};

/* Compares the units that the generator would write with those that it has written, and those with
 * the ones at the daemon's start; adds what is due for each service whose differ. Does nothing if
 * it does not apply. Returns 0 or -ENOMEM. */
int units_due(const struct units_due_question *question, struct due_list *due);
