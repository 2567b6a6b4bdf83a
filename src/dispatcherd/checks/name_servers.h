/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which name servers are asked about DNS lists: those of --dns-servers, else those of DNS_SERVERS,
 * else those of the host, whose changes are followed. */
#pragma once

#include "access/resolv_conf.h"
#include "base/str.h"

#include <stdint.h>

struct dns_lists;

/* All zero but `forced` and the path of `host` before its first use. */
struct name_servers {
    const char *forced; /* of the command line; NULL: none */
    char *configured;   /* of dispatcher.cnf; owned; NULL: none */
    struct resolv_conf host;
    uint64_t looked_at; /* when the host's were looked at last, CLOCK_MONOTONIC; 0: never */
    char *asked;        /* those of the lists; owned */
};

/* Those to be asked now. */
const char *name_servers_current(struct name_servers *servers);

/* What dispatcher.cnf says now; an empty list says nothing. Returns 0 or -ENOMEM. */
int name_servers_configure(struct name_servers *servers, const struct str_list *configured);

/* Has the lists ask other name servers if those have changed, and reports it. To be called before a
 * list is asked: the host's file is looked at once a second at the most, and not at all while
 * nobody asks. */
void name_servers_follow(struct name_servers *servers, struct dns_lists *lists);

/* The same at once. */
void name_servers_follow_now(struct name_servers *servers, struct dns_lists *lists);

void name_servers_clear(struct name_servers *servers);
