/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* TLS of a session ends here: the program has one end of a pair of sockets in place of the client's
 * connection, and what it reads and writes there is relayed. It sees the client's end of file, and
 * its own makes the client's; a broken connection is one for it, too (ECONNRESET), and so is an end
 * without close_notify. */
#pragma once

#include "workers/tls/tls_session.h"

#include <dispatcher/worker.h>

struct tunnel;

enum tunnel_state {
    TUNNEL_IS_OPEN,
    TUNNEL_HAS_MORE,    /* likewise, and to be moved again at once */
    TUNNEL_CLOSED,      /* by the program, and all that it wrote was sent */
    TUNNEL_CLIENT_GONE, /* the client's connection is broken */
};

/* Waits for the client's handshake on the connection, which stays the caller's, and reports what
 * came of it; `context` NULL is one that fails. Returns 0; -EPROTO if there is no session; or
 * another negative errno. */
int tunnel_open(struct tunnel **ret, struct tls_context *context,
                dispatcher_connection *connection);

/* Of the handshake. */
const struct tls_facts *tunnel_facts(const struct tunnel *tunnel);

/* The program's end, until tunnel_begin(), which closes our copy of it. */
int tunnel_program_fd(const struct tunnel *tunnel);
void tunnel_begin(struct tunnel *tunnel);

/* Readable when there is something to move. */
int tunnel_fd(const struct tunnel *tunnel);

/* Moves what can be moved, without waiting. After the first result that is not open or more, there
 * is nothing to call but tunnel_finish() and tunnel_close(). */
enum tunnel_state tunnel_move(struct tunnel *tunnel);

/* The program has ended: sends the client what it wrote, and closes. Waits for a client that is
 * slow, up to a limit. */
void tunnel_finish(struct tunnel *tunnel);

/* There is no program: sends the text in place of what it would have said, and closes. */
void tunnel_send_away(struct tunnel *tunnel, const char *text);

/* Frees it; NULL is nothing. The connection stays open. */
void tunnel_close(struct tunnel *tunnel);
