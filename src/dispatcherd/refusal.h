/* Turns a connection away: counts it, tells it where DEBUG bit 24 asks for that, and gives the
 * client its text. */
#pragma once

#include "dispatcherd/connection.h"
#include "mapping/callout.h"
#include "mapping/set.h"
#include "statistics/statistics.h"

struct refusal {
    enum statistics_rejection reason;
    const char *what;                  /* what refused it, beside the reason; NULL: an entry */
    const struct mapping_entry *entry; /* of PORT_ACCESS; NULL: none */
    const char *zone;                  /* the DNS list; NULL: none */
    const char *text;                  /* for the client, with CRLF; on a TLS port it gets none */
    size_t text_length;
};

/* What a routine that succeeds stands for, where PORT_ACCESS rejects after it. */
enum statistics_rejection refusal_cause(enum callout_routine routine);

/* Closes the connection, which is being checked, and frees it. */
void refusal_carry_out(struct connection *connection, const struct refusal *refusal);
