/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* One interface to c-ares 1.18 to 1.34, for queries only. Whatever the release, c-ares caches
 * nothing and does not give up a name server before a query's limit: dns_cache.h and dns_health.h
 * decide about that. */
#pragma once

#include "dns/dns_answer.h"

#include <ares.h>

/* The longest that a query waits for its first answer. */
#define CARES_FIRST_WAIT_MSEC 1500

/* A server that answers within this time is heard, with any release. */
#define CARES_LIMIT_MSEC 4500

/* From 1.32 on, the first wait depends on how fast the name server was so far, and c-ares reports
 * cheaply when it ends. Before, it is always CARES_FIRST_WAIT_MSEC. */
#define CARES_ADAPTS_WAITS (ARES_VERSION >= 0x012000)

/* Called when a query ends: `bytes` is the answer, or NULL if there is none. */
typedef void (*cares_callback)(void *userdata, int status, const unsigned char *bytes, size_t size);

/* `servers` as for ares_set_servers_ports_csv(3), `on_socket` as for ares_init_options(3). No file
 * is read for name servers. Returns a status of c-ares; with ARES_SUCCESS *ret, which is freed by
 * ares_destroy(3). */
int cares_open(const char *servers, ares_sock_state_cb on_socket, void *userdata,
               ares_channel *ret);

/* Queries the records of a full name. The callback is called once, maybe before the function
 * returns. */
void cares_ask(ares_channel channel, const char *name, enum dns_type type, cares_callback callback,
               void *userdata);
