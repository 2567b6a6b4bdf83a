/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/address_limit.h"
#include "dispatcherd/checks/check_internal.h"

#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void check_reject(struct check *check, enum statistics_rejection reason, const char *what)
{
    check->end.how = HISTORY_REJECTED;
    check->end.reason = reason;
    check->end.what = what;
    check->stage = CHECK_REJECTED;
}

static bool is_beyond(uint64_t n, unsigned limit)
{
    return limit > 0 && n > limit;
}

/* Whether the address has too many connections over all hosts; *ret_what is for dispatcherctl
 * explain. */
static bool is_address_beyond(struct check *check, const char **ret_what)
{
    const struct service_options *options = check_options(check);
    struct fleet *fleet = check_admission(check)->fleet;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC), at = 0;
    uint32_t elsewhere = 0;

    if (fleet && options->max_conns_per_address > 0 && check->n_of_address > 0)
        elsewhere = fleet_elsewhere(fleet, options->unit_name, &check->connection->peer, now, &at);
    if (!is_beyond((uint64_t)check->n_of_address + elsewhere, options->max_conns_per_address))
        return false;
    *ret_what = "MAX_CONNS_PER_ADDRESS";
    if (at > 0) {
        snprintf(check->throttle_text, sizeof(check->throttle_text),
                 "MAX_CONNS_PER_ADDRESS: %u here, %u at the other hosts, known %" PRIu64 " ms ago",
                 check->n_of_address, elsewhere, (now - at) / USEC_PER_MSEC);
        *ret_what = check->throttle_text;
    }
    return true;
}

bool check_limits(struct check *check)
{
    const struct service_options *options = check_options(check);
    const char *what = NULL;
    bool is_address = is_address_beyond(check, &what);

    if (!is_address && !is_beyond(check->n_of_network, options->max_conns_per_network))
        return false;
    check_reject(check, REJECTED_FOR_ADDRESS, is_address ? what : "MAX_CONNS_PER_NETWORK");
    check->end.text = address_limit_rejection(check->connection->local.port, !is_address);
    check->end.text_length = strlen(check->end.text);
    return true;
}
