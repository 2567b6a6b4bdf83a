/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A check, as the files that carry out its stages see it. */
#pragma once

#include "access/dns_lists.h"
#include "access/proxy_reader.h"
#include "dispatcherd/checks/access.h"
#include "dispatcherd/checks/check.h"
#include "dispatcherd/checks/checks_store.h"
#include "dispatcherd/checks/refusal.h"
#include "dispatcherd/core/context.h"

enum check_stage {
    CHECK_PROXY,   /* who the client is, if another server brings it to us */
    CHECK_ADDRESS, /* counts the connections that it has */
    CHECK_MAPPING, /* PORT_ACCESS */
    CHECK_LIMIT,   /* MAX_CONNS_PER_ADDRESS and MAX_CONNS_PER_NETWORK; not if PORT_ACCESS has $Y for
                      the client */
    CHECK_LISTS,   /* DNS_VERIFY_DOMAIN; not if an entry of PORT_ACCESS has decided */
    CHECK_PASSED,
    CHECK_REFUSED, /* refusal says why */
    CHECK_GONE,    /* the client has left */
};

struct check {
    TAILQ_ENTRY(check) link; /* in service->checks */
    struct connection *connection;
    enum check_stage stage;
    bool is_waiting; /* for somebody's answer */
    bool has_waited;
    struct refusal refusal;
    struct proxy_reader *proxy;        /* owned */
    struct mapping_set *mappings;      /* of the run; one reference */
    struct mapping_run *run;           /* owned */
    struct dns_request *request;       /* owned, until it is answered */
    struct stored_check stored;        /* while it waits for a DNS list */
    char list_text[DNS_TEXT_MAX + 1];  /* of the list that a callout has found the client on */
    sd_event_source *hangup_source;    /* while waiting for another than the client */
    enum statistics_rejection cause;   /* what the last callout that succeeded stands for */
    const struct mapping_entry *entry; /* that decided, the set's; NULL: none has */
    bool is_permitted;                 /* by $Y of that entry */
    uint32_t n_of_address;             /* connections when this one came, with this one */
    uint32_t n_of_network;             /* likewise */
};

static inline struct access *check_access(const struct check *check)
{
    return check->connection->service->context->access;
}

static inline const struct service_options *check_options(const struct check *check)
{
    return check->connection->service->options;
}

/* The connection may not come in; `what` as in struct refusal. */
void check_refuse(struct check *check, enum statistics_rejection reason, const char *what);

/* Refuses the connection if its address has more than MAX_CONNS_PER_ADDRESS, or its network more
 * than MAX_CONNS_PER_NETWORK. Returns whether it does. */
bool check_limits(struct check *check);

/* What the check waited for is there, and its stage moved on: goes on. The check may be gone
 * afterwards. */
void check_answered(struct check *check);

/* The stage of PORT_ACCESS: moves on to another, or begins to wait for somebody's answer. */
void check_mapping(struct check *check);
