/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A session over a socket pair, written down as the client's and the server's lines. */
#pragma once

#include "workers/tcp_smtp_server/session.h"

/* Each string is one step:
 *   "C: text"   the client sends the line and CRLF; steps of the client that follow each other go
 *               out as one piece
 *   "R: bytes"  the client sends the bytes as they are
 *   "S: text"   the server's next line starts with the text
 *   "T: host"   the client's handshake, with that server name ("": none), from which on both sides
 *               speak TLS
 *   "N:"        the client says that it sends no more (close_notify)
 *   "X:"        the handshake fails
 *   "E:"        the server has closed, and has sent no more
 *   "P:"        the service is under stress: settings->stress_fd, an eventfd, becomes readable
 *   "Q:"        the stress is over
 *   "D:"        the service stops: settings->stop_fd, an eventfd, becomes readable
 *   "W:"        waits a moment, so that what follows is not pipelined
 * The list ends with NULL; then the client closes, and the session must come to its end. */
void smtp_dialogue(const struct session_settings *settings, const char *const steps[]);

/* The same on a TLS_PORT, where the session begins with the handshake. */
void smtp_dialogue_of_tls_port(const struct session_settings *settings, const char *const steps[]);
