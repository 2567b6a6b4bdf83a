/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which name servers are asked about DNS lists: those of --dns-servers, or else those of
 * DNS_SERVERS, or else those of the host, whose changes are followed. */
#pragma once

#include "base/str.h"
#include "dns/resolv_conf.h"

#include <stdint.h>

struct dns_lists;

/* All zero before its first use, except `forced` and the path of `host`. */
struct name_servers {
    const char *forced; /* of the command line; NULL: none */
    char *configured;   /* of dispatcher.cnf; owned; NULL: none */
    struct resolv_conf host;
    uint64_t looked_at; /* when the host's servers were last looked at; CLOCK_MONOTONIC; 0: never */
    char *asked;        /* those that the lists use; owned */
};

/* The servers that are to be asked now. */
const char *name_servers_current(struct name_servers *servers);

/* Sets those of dispatcher.cnf; an empty list means none. Returns 0 or -ENOMEM. */
int name_servers_configure(struct name_servers *servers, const struct str_list *configured);

/* If the servers have changed, makes the lists use the new ones, and reports that. To be called
 * before a list is asked: the host's file is looked at once a second at most, and not at all while
 * nothing is asked. */
void name_servers_follow(struct name_servers *servers, struct dns_lists *lists);

/* The same, without waiting for the second to pass. */
void name_servers_follow_now(struct name_servers *servers, struct dns_lists *lists);

void name_servers_clear(struct name_servers *servers);
