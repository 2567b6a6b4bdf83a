/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/address_limit.h"
#include "dispatcherd/checks/check_internal.h"

#include <string.h>

void check_reject(struct check *check, enum statistics_rejection reason, const char *what)
{
    check->end.how = HISTORY_REJECTED;
    check->end.reason = reason;
    check->end.what = what;
    check->stage = CHECK_REJECTED;
}

static bool is_beyond(uint32_t n, unsigned limit)
{
    return limit > 0 && n > limit;
}

bool check_limits(struct check *check)
{
    const struct service_options *options = check_options(check);
    bool is_address = is_beyond(check->n_of_address, options->max_conns_per_address);

    if (!is_address && !is_beyond(check->n_of_network, options->max_conns_per_network))
        return false;
    check_reject(check, REJECTED_FOR_ADDRESS,
                 is_address ? "MAX_CONNS_PER_ADDRESS" : "MAX_CONNS_PER_NETWORK");
    check->end.text = address_limit_rejection(check->connection->local.port, !is_address);
    check->end.text_length = strlen(check->end.text);
    return true;
}
