/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What is told of a check, and kept of its end for dispatcherctl explain. */
#pragma once

#include "dispatcherd/checks/refusal.h"
#include "mapping/port_access.h"

/* PORT_ACCESS was given up: told once a minute, with how often it was. */
void check_report_limit(const struct connection *connection);

/* The notes of $< and $>. `reason`: why it would be rejected, if it is. */
void check_report_notes(const struct connection *connection, const struct port_access *verdict,
                        enum statistics_rejection reason);

/* The connection is let in; `entry` of PORT_ACCESS decided that, NULL: none did. */
void check_report_passed(const struct connection *connection, const struct mapping_entry *entry);

void check_report_refused(const struct connection *connection, const struct refusal *refusal);
