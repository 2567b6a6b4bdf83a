/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/common/descriptors.h"

#include "workers/common/unit.h"

#include <syslog.h>

/* Besides those of sessions: channel, ring, log, epoll and their like. */
#define OTHER_DESCRIPTORS 64

static void descriptors_warn(dispatcher_worker *worker, rlim_t wanted, rlim_t allowed)
{
    char unit[UNIT_NAME_MAX];

    dispatcher_worker_log(worker, LOG_WARNING,
                          "MAX_CONNS=%u needs up to %llu descriptors, but the limit is %llu; set "
                          "LimitNOFILE=%llu: systemctl edit %s",
                          dispatcher_worker_max_connections(worker), (unsigned long long)wanted,
                          (unsigned long long)allowed, (unsigned long long)wanted,
                          unit_name(dispatcher_worker_service(worker), unit));
}

struct rlimit descriptors_allow(dispatcher_worker *worker, unsigned n_a_session, unsigned n_others)
{
    rlim_t wanted = n_a_session * (rlim_t)dispatcher_worker_max_connections(worker) + n_others +
                    OTHER_DESCRIPTORS;
    struct rlimit before, limit;

    if (getrlimit(RLIMIT_NOFILE, &before) < 0)
        return (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
    limit = before;
    if (limit.rlim_cur >= wanted)
        return before;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    /* The sandbox of the unit forbids it. */
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        limit = before;
    if (limit.rlim_cur < wanted)
        descriptors_warn(worker, wanted, limit.rlim_cur);
    return before;
}
