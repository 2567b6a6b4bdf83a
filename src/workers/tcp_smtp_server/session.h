/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* One SMTP session (RFC 5321), from the greeting to its end, with the extensions PIPELINING (RFC
 * 2920), SIZE (1870), 8BITMIME (6152), ENHANCEDSTATUSCODES (2034) and SMTPUTF8 (6531).
 *
 * It does not depend on dispatcherd: all it needs is in its arguments. */
#pragma once

#include "workers/tcp_smtp_server/envelope.h"
#include "workers/tcp_smtp_server/settings.h"
#include "workers/tcp_smtp_server/transport.h"

/* Serves the client on the connected stream socket `fd`, which stays the caller's. Returns when the
 * session has ended, which takes a limited time whatever the client does. */
void session_run(const struct session_settings *settings, const struct session_peer *peer, int fd);

/* The same over any transport. */
void session_run_over(const struct session_settings *settings, const struct session_peer *peer,
                      const struct transport *transport);
