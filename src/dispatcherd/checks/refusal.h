/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Turns a connection away: counts it, tells it if DEBUG bit 24 asks for that, and gives the
 * client its text. */
#pragma once

#include "access/dns_lists.h"
#include "dispatcherd/core/connection.h"
#include "mapping/callout.h"
#include "mapping/set.h"
#include "statistics/statistics.h"

struct refusal {
    enum statistics_rejection reason;
    const char *what;                  /* what refused it, beside the reason; NULL: an entry */
    const struct mapping_entry *entry; /* of PORT_ACCESS; NULL: none */
    struct dns_lists_answer list;      /* that has the client; zone NULL: none */
    const char *text;                  /* for the client, with CRLF; on a TLS port it gets none */
    size_t text_length;
};

/* What a routine that succeeds stands for, if PORT_ACCESS rejects after it. */
enum statistics_rejection refusal_cause(enum callout_routine routine);

/* Whether a refusal of it would be reported: the text of a DNS list is worth asking for then. */
bool refusal_is_told(const struct connection *connection);

/* Closes the connection, which is being checked, and frees it. */
void refusal_carry_out(struct connection *connection, const struct refusal *refusal);
