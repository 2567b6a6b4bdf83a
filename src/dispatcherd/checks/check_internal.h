/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A check, for the files that carry out its stages. */
#pragma once

#include "access/proxy_reader.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/checks/check.h"
#include "dispatcherd/checks/reject.h"
#include "dispatcherd/core/context.h"
#include "dns/dns_lists.h"

enum check_stage {
    CHECK_PROXY,   /* reads the PROXY header, if a proxy brings the client */
    CHECK_ADDRESS, /* counts the connections of its address */
    CHECK_MAPPING, /* PORT_ACCESS */
    CHECK_LIMIT,   /* MAX_CONNS_PER_ADDRESS and MAX_CONNS_PER_NETWORK; not if PORT_ACCESS has $Y for
                      the client */
    CHECK_LISTS,   /* DNS_VERIFY_DOMAIN; not if an entry of PORT_ACCESS has decided */
    CHECK_PASSED,
    CHECK_REJECTED, /* `end` says why */
    CHECK_GONE,     /* the client has left */
};

struct check {
    TAILQ_ENTRY(check) link; /* in service->checks */
    struct connection *connection;
    enum check_stage stage;
    /* To be called when the answer that it waited for is there, and its stage has been moved on.
     * The check may be gone afterwards. */
    void (*answered)(struct check *check);
    bool is_waiting; /* for an answer */
    bool has_waited;
    struct connection_end end;        /* how the connection ends if it is rejected */
    struct proxy_reader *proxy;       /* owned */
    struct mapping_set *mappings;     /* of the run; one reference */
    struct mapping_run *run;          /* owned */
    struct fleet_wait throttle_wait;  /* for the counts of a throttle */
    struct dns_request *request;      /* owned, until it is answered */
    char list_text[DNS_TEXT_MAX + 1]; /* of the list on which a callout has found the client */
    sd_event_source *hangup_source;   /* while it waits for an answer */
    enum statistics_rejection cause;  /* the reason that the last successful callout stands for */
    char throttle_text[DECISION_TEXT_MAX]; /* what the last throttle of a fleet has counted */
    const struct mapping_entry *entry;     /* that decided; belongs to `mappings`; NULL: none did */
    bool is_permitted;                     /* by $Y of that entry */
    uint32_t n_of_address; /* connections of the address when this one came, including it */
    uint32_t n_of_network; /* of its network */
};

static inline struct admission *check_admission(const struct check *check)
{
    return check->connection->service->context->admission;
}

static inline const struct service_options *check_options(const struct check *check)
{
    return check->connection->service->options;
}

/* Rejects the connection; `what` is as in struct connection_end. */
void check_reject(struct check *check, enum statistics_rejection reason, const char *what);

/* Rejects the connection if its address has more than MAX_CONNS_PER_ADDRESS, or its network more
 * than MAX_CONNS_PER_NETWORK. Returns true if so. */
bool check_limits(struct check *check);

/* The stage of PORT_ACCESS: moves on to another stage, or begins to wait for an answer. */
void check_mapping(struct check *check);
