/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What is counted of one service (dispatcherctl(1)).
 *
 * Pure: no system call, no clock, no allocation, no pointers; each event costs a few additions. So
 * it lives in the memory that outlasts the daemon (dispatcherd/state.h). What a worker counts is
 * part of its pool (pool/pool.h).
 *
 * A connection that access control lets pass is admitted, and ends in one of four ways; what it
 * does not let pass is rejected, and counts nowhere else:
 *
 *      accepted -> checking -> admitted -> ended | broken | gone | unserved
 *                      |
 *                      +-> rejected | gone before it was admitted
 *
 * n_accepted is the sum of all that came out, and of what is still at work. */
#pragma once

#include "statistics/hours.h"
#include "statistics/level.h"
#include "statistics/span.h"

/* Why a connection was not let in. Names for the journal, the control socket and people:
 * statistics_rejection_to_string(). Others are added at the end. */
enum statistics_rejection {
    REJECTED_BY_MAPPING,       /* PORT_ACCESS said no */
    REJECTED_BY_DNS_LIST,      /* DNS_VERIFY_DOMAIN, ENABLE_RBL, or a callout of the mapping */
    REJECTED_BY_THROTTLE,      /* too many from there in a span of time */
    REJECTED_FOR_ADDRESS,      /* too many at a time from one address */
    REJECTED_FOR_PROXY_HEADER, /* none came, or a bad one */
    REJECTED_FOR_SHUTDOWN,     /* the service was stopping */
    REJECTED_FOR_ERROR,        /* the check itself failed */
    N_STATISTICS_REJECTIONS
};

/* "mapping", "dns_list", "throttle", "address", "proxy_header", "shutdown", "error". */
const char *statistics_rejection_to_string(enum statistics_rejection reason);

/* Times are CLOCK_MONOTONIC, in microseconds. Everybody may read; the functions below write. */
struct statistics {
    uint64_t started_at;
    uint64_t n_accepted; /* taken from the kernel's queue; the listener's side counts it */
    uint64_t n_admitted; /* let pass by access control */
    uint64_t n_ended;    /* served to their end, as the worker said */
    uint64_t n_broken;   /* their worker died */
    uint64_t n_gone;     /* the client left before a worker had it */
    uint64_t n_unserved; /* closed because no worker could be started while stopping */
    uint64_t n_failed_starts;
    uint64_t n_failed_handoffs; /* sent to a worker that did not take it; it went to another */
    uint64_t n_times_full;
    uint64_t n_rejected[N_STATISTICS_REJECTIONS];
    struct level concurrent; /* active and in hand-off */
    struct hours admitted;
    struct span durations; /* of those ended or broken: from accept to their end */
    struct span waits;     /* from accept to the hand-off that a worker took */
    struct span backlog;   /* estimated: from the kernel's queue to accept */
};

void statistics_start(struct statistics *statistics, uint64_t now);

/* A successor goes on with what its predecessor has counted. */
void statistics_resume(struct statistics *statistics, uint64_t now);

void statistics_count_accepted(struct statistics *statistics);
void statistics_count_admitted(struct statistics *statistics, uint64_t now);

/* Access control has closed it, or let it be closed, for this reason. */
void statistics_count_rejected(struct statistics *statistics, enum statistics_rejection reason);

/* A worker has taken it: accepted and handed over at these moments. */
void statistics_count_taken(struct statistics *statistics, uint64_t accepted_at,
                            uint64_t handed_at);

/* It is over: its worker said so, or died. */
void statistics_count_ended(struct statistics *statistics, uint64_t accepted_at, uint64_t now);
void statistics_count_broken(struct statistics *statistics, uint64_t accepted_at, uint64_t now);

void statistics_count_gone(struct statistics *statistics);
void statistics_count_unserved(struct statistics *statistics);
void statistics_count_failed_start(struct statistics *statistics);
void statistics_count_failed_handoff(struct statistics *statistics);
void statistics_count_full(struct statistics *statistics);

/* It lay in the kernel's queue for about so long. */
void statistics_count_backlog(struct statistics *statistics, uint64_t usec);

/* So many are active or in hand-off from now on. */
void statistics_set_concurrent(struct statistics *statistics, uint32_t n, uint64_t now);

/* Of all reasons together. */
uint64_t statistics_rejected(const struct statistics *statistics);
