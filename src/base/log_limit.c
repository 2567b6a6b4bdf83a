/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/log_limit.h"

#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>

bool log_limit_take(struct log_limit *limit, uint64_t now, bool has_room, const char *name)
{
    if (has_room && rate_take(&limit->rate, now))
        return true;
    if (limit->left_out.n_all == 0)
        limit->since = now;
    tally_add(&limit->left_out, name);
    return false;
}

uint64_t log_limit_due_at(const struct log_limit *limit)
{
    return limit->left_out.n_all > 0 ? limit->since + LOG_LIMIT_SUM_USEC : UINT64_MAX;
}

bool log_limit_sum_up(struct log_limit *limit, uint64_t now, char text[TALLY_TEXT_BYTES + 64])
{
    uint64_t n = limit->left_out.n_all;
    char sums[TALLY_TEXT_BYTES];

    if (n == 0)
        return false;
    snprintf(text, TALLY_TEXT_BYTES + 64, "%" PRIu64 " %s left out in %" PRIu64 " s: %s", n,
             str_plural(n, "line", "lines"), (now - limit->since + 999999) / 1000000,
             tally_format(&limit->left_out, sums));
    tally_clear(&limit->left_out);
    return true;
}
