/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a dispatcher.cnf requires of systemd: which sockets to open, close or open anew, which
 * drop-ins override the file, and which wanted ports other processes have. */
#pragma once

#include "base/str.h"
#include "dispatcherctl/plan/unit_addresses.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct unit_plan_input {
    const char *config_file;
    const json_t *services; /* of the Services reply; NULL: the daemon does not run */
    uint64_t limit_usec;    /* for systemctl(1) */
};

struct unit_plan {
    /* Arrays: members "sockets", "drop_ins" and "in_the_way" of dispatcherctl.schema.json. */
    json_t *sockets, *drop_ins, *in_the_way;
    struct str_list to_stop;      /* socket units to be stopped before the daemon is restarted */
    struct address_set to_vacate; /* where they listen */
    bool needs_daemon_reload;
    bool needs_restart;    /* because of the sockets or of the daemon's own unit */
    bool has_changed_unit; /* the daemon's own unit has changed */
};

/* Makes the plan, and changes nothing. Returns 0 or a negative errno. */
int unit_plan_make(const struct unit_plan_input *input, struct unit_plan *ret);

void unit_plan_clear(struct unit_plan *plan);
