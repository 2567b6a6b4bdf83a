/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Asks the machine of a client who uses a connection (IDENT, RFC 1413). Nobody waits for
 * the answer, and nothing depends on it: every failure is the same "none". */
#pragma once

#include "access/ident_reply.h"
#include "base/address.h"

#include <stdint.h>
#include <systemd/sd-event.h>

#define IDENT_PORT 113

/* How long one query may take in all, and queries at once. */
#define IDENT_LIMIT_USEC  UINT64_C(2000000)
#define IDENT_CLIENTS_MAX 32

struct ident_clients;
struct ident_request;

/* The one end of a query: `user` as in ident_reply.h, until the callback returns, or NULL. The
 * request is void already. May ask anew and cancel others; must not free the clients. */
typedef void (*ident_callback)(const char *user, void *userdata);

/* `port`: where IDENT servers listen, IDENT_PORT but for tests. `event` is kept referenced. Returns
 * 0 with *ret, which the caller frees, or a negative errno. */
int ident_clients_new(sd_event *event, uint16_t port, struct ident_clients **ret);

/* Ends every query without its callback; their requests are void. NULL does nothing. */
void ident_clients_free(struct ident_clients *clients);

/* Asks about the connection between the two, from the server's address. Never waits. Returns 0 with
 * *ret if the callback will come, from the event loop; -EBUSY if IDENT_CLIENTS_MAX are under
 * way: skip it; or another negative errno: there is no answer. */
int ident_ask(struct ident_clients *clients, const struct address *server,
              const struct address *client, ident_callback callback, void *userdata,
              struct ident_request **ret);

/* The callback comes no more, and the request is void. NULL does nothing. */
void ident_cancel(struct ident_request *request);

/* Queries under way. */
unsigned ident_clients_n_open(const struct ident_clients *clients);
