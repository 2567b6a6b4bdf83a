/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Asks the client's host which user has opened a connection (IDENT, RFC 1413). Nothing waits for
 * the answer or depends on it: every failure counts as "no user". */
#pragma once

#include "access/ident_reply.h"
#include "base/address.h"

#include <stdint.h>
#include <systemd/sd-event.h>

#define IDENT_PORT 113

/* How long one query may take in all, and how many may be under way at once. */
#define IDENT_LIMIT_USEC  UINT64_C(2000000)
#define IDENT_CLIENTS_MAX 32

struct ident_clients;
struct ident_request;

/* Called once for each query that is not cancelled. `user` is as in ident_reply.h and valid until
 * the callback returns; NULL: there is none. The request is no longer valid. The callback may ask
 * anew and cancel other queries; it must not free the clients. */
typedef void (*ident_callback)(const char *user, void *userdata);

/* `port`: the one that IDENT servers listen on; IDENT_PORT except in tests. `event` is kept
 * referenced. Returns 0 with *ret, which the caller frees, or a negative errno. */
int ident_clients_new(sd_event *event, uint16_t port, struct ident_clients **ret);

/* Ends every query without its callback; no request is valid any more. NULL does nothing. */
void ident_clients_free(struct ident_clients *clients);

/* Asks the client's host who has opened the connection between the two addresses; the query is sent
 * from the server's address. Never waits. Returns 0 with *ret if the event loop will call the
 * callback; -EBUSY if IDENT_CLIENTS_MAX queries are under way; or another negative errno: there
 * will be no answer. */
int ident_ask(struct ident_clients *clients, const struct address *server,
              const struct address *client, ident_callback callback, void *userdata,
              struct ident_request **ret);

/* Ends a query without its callback; the request is no longer valid. NULL does nothing. */
void ident_cancel(struct ident_request *request);

/* How many queries are under way. */
unsigned ident_clients_n_open(const struct ident_clients *clients);
