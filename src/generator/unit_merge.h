/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a unit with its drop-ins says, by the files as they are now: what systemd will read at the
 * next daemon-reload (systemd.unit(5)). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* One assignment. */
struct unit_setting {
    char *section; /* owned, as are all the following */
    char *key;
    char *value; /* without blanks at its ends, continued lines joined by a blank */
    char *file;  /* NULL: the generator */
    unsigned line;
};

/* Owns its items. All zero is an empty unit. */
struct unit_settings {
    struct unit_setting *items; /* in the order in which systemd reads them */
    size_t n_items;
    bool is_masked; /* by a link to /dev/null */
};

/* Merges the unit `name` with its drop-ins. `text` is what the generator writes for it; NULL: it is
 * an installed unit, or one of the administrator's. An empty value removes what the key had before,
 * as in systemd's lists, and is not listed itself. `root` is put before every path: "" on a host.
 * Returns 0, -ENOENT if there is no such unit, or -ENOMEM. Files that cannot be read are left out.
 */
int unit_merge(const char *root, const char *name, const char *text, struct unit_settings *ret);

/* The last value of a key, for keys that take one; NULL: it is not set. */
const char *unit_settings_value(const struct unit_settings *settings, const char *section,
                                const char *key);

/* The sections [Socket] and [Service] as lines "KEY=VALUE", without Backlog=, which the daemon sets
 * itself. Sockets of two units are opened in the same way if these texts are equal. To be freed;
 * NULL when out of memory. */
char *unit_settings_text(const struct unit_settings *settings);

void unit_settings_clear(struct unit_settings *settings);
