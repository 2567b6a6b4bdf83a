/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The last lines that a unit has logged, so that a person sees why it failed. */
#pragma once

#include <stddef.h>

/* Writes the last lines in the journal of this run of a unit (INVOCATION_ID, systemd.exec(5)):
 * those of its processes, and those of systemd while it set them up. The oldest comes first, " | "
 * separates them; "" if there are none. Waits a moment until journald has read them. The unit's
 * name in front of a line is left out. */
void unit_lines_read(const char *unit, const char *invocation_id, char *text, size_t size);
