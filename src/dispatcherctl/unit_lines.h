/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a unit has logged last, for a person who wants to know why it failed. */
#pragma once

#include <stddef.h>

/* Writes the last lines in the journal of this run of a unit (INVOCATION_ID, systemd.exec(5)), its
 * processes' own and what systemd says while it sets them up, from the older to the newer, with " |
 * " between them; "" if there are none. Waits a moment for the journal to have read them. The
 * unit's name in front of a line is left out. */
void unit_lines_read(const char *unit, const char *invocation_id, char *text, size_t size);
