/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What is logged during a check, and what of its result is kept for dispatcherctl explain. */
#pragma once

#include "dispatcherd/core/completion.h"
#include "mapping/port_access.h"

/* PORT_ACCESS was given up: reported once a minute, with how often it was. */
void check_report_limit(const struct connection *connection);

/* The notes of $< and $>. `reason`: why the connection is going to be rejected, if it is. */
void check_report_notes(const struct connection *connection, const struct port_access *verdict,
                        enum statistics_rejection reason);

/* The connection is admitted because of `entry` of PORT_ACCESS; NULL: no entry decided. */
void check_report_passed(const struct connection *connection, const struct mapping_entry *entry,
                         uint64_t now);

void check_report_rejected(const struct connection *connection, const struct connection_end *end);
