/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Rejects a connection: sends the client its text, and passes the record of this end to everything
 * that keeps it. DEBUG bit 24 logs it. */
#pragma once

#include "dispatcherd/core/completion.h"
#include "mapping/callout.h"

/* The reason that a successful callout stands for, if PORT_ACCESS rejects after it. */
enum statistics_rejection reject_cause(enum callout_routine routine);

/* Whether a rejection of this connection would be reported. Only then is the text of a DNS list
 * worth a query. */
bool reject_is_logged(const struct connection *connection);

/* Ends the connection, which is being checked, and frees it. */
void reject_connection(struct connection *connection, const struct connection_end *end);
