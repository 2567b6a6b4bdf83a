/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The end of a connection, however it ended: one record, made once. From here it goes to the
 * counters, the history and the journal; the checks also pass that of a rejected connection to
 * checks/check_report.h, for the log of decisions. */
#pragma once

#include "dispatcherd/core/connection.h"
#include "dns/dns_lists.h"
#include "mapping/set.h"
#include "statistics/statistics.h"

/* Borrowed pointers are used only during the call. */
struct connection_end {
    enum history_end how;
    uint64_t at; /* CLOCK_MONOTONIC, in microseconds */

    /* For HISTORY_REJECTED only: */
    enum statistics_rejection reason;
    const char *what; /* what rejected it, besides the reason; NULL: an entry did */
    const struct mapping_entry *entry; /* of PORT_ACCESS; NULL: none */
    struct dns_lists_answer list;      /* that contains the client; zone NULL: none */
    const char *text;                  /* for the client, with CRLF; not sent on a TLS port */
    size_t text_length;
};

/* Counts, keeps and reports the end, and frees the connection. */
void completion_record(struct connection *connection, const struct connection_end *end);

/* completion_record() for an end that is not a rejection: `how` and the time are all of its record.
 */
void completion_end(struct connection *connection, enum history_end how, uint64_t now);
