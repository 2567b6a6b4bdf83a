/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Lines that clients can provoke at will, and those of the DEBUG bits: within limits, so that
 * journald never drops a line that an administrator needs. What is left out is summed up.
 *
 * As with the log and the events there is one for the process. */
#pragma once

#include "dispatcherd/report/report.h"

#include <systemd/sd-event.h>

enum bulk_kind {
    BULK_REFUSALS, /* bit 24 of DEBUG */
    BULK_NOTES,    /* of entries of PORT_ACCESS */
    BULK_DEBUG,    /* all other bits of DEBUG */
    N_BULK_KINDS
};

/* From now on sums are logged when they are due; before, with the next line of their kind. Returns
 * 0 or a negative errno. */
int bulk_start(sd_event *event);

/* Logs what was not summed up yet. */
void bulk_end(void);

/* Returns true if the line may be logged; else it is counted. */
bool bulk_take(enum bulk_kind kind, const struct subject *subject);
