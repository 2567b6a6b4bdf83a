/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Runs systemctl(1), and reads what it prints about the units of dispatcherd. */
#pragma once

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Runs "systemctl WORD...", with `words` ending with NULL, and kills it at the time limit. Returns
 * 0; -ETIMEDOUT; -EREMOTEIO if it failed; or another negative errno. For the first three,
 * *ret_output (NULL: not wanted) is what it printed, including standard error, to be freed. */
int systemctl(const char *const words[], uint64_t limit_usec, char **ret_output);

/* A unit as systemd has loaded it. */
struct unit_status {
    char name[256];
    char invocation[64];
    bool is_loaded;
    bool is_masked;
    bool is_active;
    bool is_failed;
    bool is_outdated; /* its files have changed since systemd read them */
    bool is_enabled;
};

struct unit_statuses {
    struct unit_status *items; /* owned */
    size_t n_items;
    struct str_list
        listens; /* "ADDRESS:PORT (Stream)" of each of its sockets (Listen= of systemctl(1)) */
};

/* Reads dispatcherd.service, and the sockets of dispatcherd that systemd knows, except those of
 * dispatcherd-web and dispatcherd-kill. Returns 0 or a negative errno. */
int unit_statuses_read(uint64_t limit_usec, struct unit_statuses *ret);

const struct unit_status *unit_statuses_find(const struct unit_statuses *statuses,
                                             const char *name);

void unit_statuses_clear(struct unit_statuses *statuses);
