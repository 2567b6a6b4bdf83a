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

/* Why a connection was rejected. The names for the journal, the control socket and people are those
 * of statistics_rejection_to_string(). New reasons are added at the end. */
enum statistics_rejection {
    REJECTED_BY_MAPPING,       /* PORT_ACCESS said no */
    REJECTED_BY_DNS_LIST,      /* DNS_VERIFY_DOMAIN, ENABLE_RBL, or a callout of the mapping */
    REJECTED_BY_THROTTLE,      /* too many connections from there in a period of time */
    REJECTED_FOR_ADDRESS,      /* too many connections at a time from one address */
    REJECTED_FOR_PROXY_HEADER, /* the header was missing or invalid */
    REJECTED_FOR_SHUTDOWN,     /* the service was stopping */
    REJECTED_FOR_ERROR,        /* the check itself failed */
    N_STATISTICS_REJECTIONS
};

/* "mapping", "dns_list", "throttle", "address", "proxy_header", "shutdown", "error". */
const char *statistics_rejection_to_string(enum statistics_rejection reason);

/* Why a worker's TLS handshake failed, as workers report it. New reasons are added at the end. */
enum statistics_tls_failure {
    TLS_FAILURE_TIMEOUT,
    TLS_FAILURE_NO_SHARED_CIPHER,
    TLS_FAILURE_VERSION,
    TLS_FAILURE_BAD_CERTIFICATE,
    TLS_FAILURE_PLAIN_TEXT,
    TLS_FAILURE_GONE,
    TLS_FAILURE_NO_CERTIFICATE,
    TLS_FAILURE_ERROR,
    N_STATISTICS_TLS_FAILURES
};

/* "timeout", "no_shared_cipher", "version", "bad_certificate", "plain_text", "gone",
 * "no_certificate", "error". */
const char *statistics_tls_failure_to_string(enum statistics_tls_failure reason);

/* Times are CLOCK_MONOTONIC, in microseconds. The fields may be read by anyone; only the functions
 * below write them. */
struct statistics {
    uint64_t started_at;
    uint64_t n_accepted;        /* taken from the kernel's queue; counted by the listener */
    uint64_t n_admitted;        /* admitted by access control */
    uint64_t n_ended;           /* served to their end, as the worker reported */
    uint64_t n_failed_sessions; /* of these, reported as failed */
    uint64_t n_sent_away;       /* of these, those that the worker could not serve */
    uint64_t n_broken;          /* their worker died */
    uint64_t n_gone;            /* the client left before a worker had it */
    uint64_t n_unserved;        /* closed because no worker could be started while stopping */
    uint64_t n_failed_starts;
    uint64_t n_failed_handoffs; /* sent to a worker that did not take it, and then to another */
    uint64_t n_times_full;
    uint64_t n_rejected[N_STATISTICS_REJECTIONS];
    uint64_t n_tls; /* sessions with TLS, as workers report */
    uint64_t n_tls_failed[N_STATISTICS_TLS_FAILURES];
    struct level concurrent; /* active and in hand-off */
    struct hours admitted;
    struct span durations; /* from accept to the end, of those that ended or broke */
    struct span waits;     /* from accept to the hand-off that was acknowledged */
    struct span backlog;   /* estimate: from the kernel's queue to accept */
};

void statistics_start(struct statistics *statistics, uint64_t now);

/* A successor continues its predecessor's statistics. */
void statistics_resume(struct statistics *statistics, uint64_t now);

void statistics_count_accepted(struct statistics *statistics);
void statistics_count_admitted(struct statistics *statistics, uint64_t now);

/* Access control has rejected it, for this reason. */
void statistics_count_rejected(struct statistics *statistics, enum statistics_rejection reason);

/* A worker has taken it; it was accepted and handed over at these times. */
void statistics_count_taken(struct statistics *statistics, uint64_t accepted_at,
                            uint64_t handed_at);

/* It has ended: its worker has reported that, or died. */
void statistics_count_ended(struct statistics *statistics, uint64_t accepted_at, uint64_t now);
void statistics_count_broken(struct statistics *statistics, uint64_t accepted_at, uint64_t now);

/* For one that has ended: what its worker reports about it. */
void statistics_count_failed_session(struct statistics *statistics);
void statistics_count_sent_away(struct statistics *statistics);

void statistics_count_gone(struct statistics *statistics);
void statistics_count_unserved(struct statistics *statistics);
void statistics_count_failed_start(struct statistics *statistics);
void statistics_count_failed_handoff(struct statistics *statistics);
void statistics_count_full(struct statistics *statistics);

void statistics_count_tls(struct statistics *statistics);
void statistics_count_tls_failed(struct statistics *statistics, enum statistics_tls_failure reason,
                                 uint64_t n);

/* It was in the kernel's queue for about this long. */
void statistics_count_backlog(struct statistics *statistics, uint64_t usec);

/* This many are active or in hand-off from now on. */
void statistics_set_concurrent(struct statistics *statistics, uint32_t n, uint64_t now);

/* The sum over all reasons. */
uint64_t statistics_rejected(const struct statistics *statistics);
uint64_t statistics_tls_failed(const struct statistics *statistics);
