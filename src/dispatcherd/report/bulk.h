/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Limits the lines that clients can cause at will, and those of the DEBUG bits, so that journald
 * never drops a line that an administrator needs. Lines that are left out are summed up.
 *
 * There is one for the process, as for the log and the events. */
#pragma once

#include "dispatcherd/report/report.h"

#include <systemd/sd-event.h>

enum bulk_kind {
    BULK_REJECTIONS, /* bit 24 of DEBUG */
    BULK_NOTES,      /* of entries of PORT_ACCESS */
    BULK_DEBUG,      /* all other bits of DEBUG */
    N_BULK_KINDS
};

/* From now on summaries are logged when they are due; before, with the next line of their kind.
 * Returns 0 or a negative errno. */
int bulk_start(sd_event *event);

/* Logs the summaries that are still due. */
void bulk_end(void);

/* Returns true if the line may be logged; otherwise it is counted. */
bool bulk_take(enum bulk_kind kind, const struct subject *subject);
