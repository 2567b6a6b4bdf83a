/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whether systemd has the units that dispatcher.cnf requires: it reads them at daemon-reload only,
 * and passes sockets only when the daemon starts (systemd.socket(5)). */
#pragma once

#include "config/options.h"
#include "dispatcherd/config/due.h"

/* The socket units as they were when the daemon started and got its sockets. Owns its items. All
 * zero: there were none. */
struct unit_marks {
    struct unit_mark *items;
    size_t n_items;
};

/* Notes the units as they are now. */
void unit_marks_take(struct unit_marks *ret);

void unit_marks_clear(struct unit_marks *marks);

/* Whether the generator reads that file, on a host with systemd. */
bool units_due_applies(const char *config_file);

struct units_due_question {
    const struct config *config;
    const char *config_file;        /* the file of `config` */
    const struct unit_marks *marks; /* NULL: no daemon runs */
};

/* Compares the units that the generator would write with those that it has written, and these with
 * those of the daemon's start. Adds what is due for each service with a difference. Does nothing
 * unless units_due_applies(). Returns 0 or -ENOMEM. */
int units_due(const struct units_due_question *question, struct due_list *due);
