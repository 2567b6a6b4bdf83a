/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* TLS with one client, over its connected stream socket. Every wait has a deadline; nothing here
 * depends on whether the socket is in blocking mode. One thread at a time. */
#pragma once

#include "workers/common/deadline.h"
#include "workers/tls/context.h"
#include "workers/tls/facts.h"
#include "workers/tls/failure.h"
#include "workers/tls/socket_bio.h"

#include <stdint.h>
#include <sys/types.h>

struct tls_session {
    SSL *ssl;              /* owned */
    struct tls_gate *gate; /* its handshake is under way; NULL: it is over */
    struct deadline handshake_ends_at;
    struct tls_socket socket;
    int stress_fd;     /* readable while the service is under stress; -1: never; not ours */
    bool is_broken;    /* nothing more can be sent or received */
    bool is_truncated; /* the client's end came without its close_notify */
    struct tls_facts facts;
};

/* A session on the socket `fd`, which stays the caller's, whose handshake is still to come by
 * tls_session_shake_hands(). Returns 0, or -ENOMEM; then there is nothing to end. */
int tls_session_begin(struct tls_session *session, struct tls_context *context, int fd,
                      int stress_fd);

/* Goes on with the handshake, without waiting. Returns why it failed; or TLS_NO_FAILURE, with the
 * events of poll(2) that it waits for, or 0 if it is over. */
enum tls_failure tls_session_shake_hands(struct tls_session *session, short *ret_events);

/* True if the handshake has lasted too long: 30 s, or 3 s while more than half of the worker's
 * places are in handshakes. */
bool tls_session_is_late(const struct tls_session *session, uint64_t now);

/* Begins a session and waits until its handshake is over, has failed, or is late.
 *
 * `client_asks`: the client will send a command next, and read the answer. In TLS 1.3 it is then
 * sent a ticket, a mere number that resumes nothing, since a packet of ours carries the
 * acknowledgement of its last flight. Otherwise the kernel puts that off for 40 ms, and by Nagle's
 * algorithm the command waits for as long (RFC 1122, 4.2.3). A client that never reads must not be
 * sent any: the rest of what it says would be lost when it closes its end (RFC 1122, 4.2.2.13).
 *
 * Returns TLS_NO_FAILURE, or why there is no session; then there is nothing to end. */
enum tls_failure tls_session_start(struct tls_session *session, struct tls_context *context, int fd,
                                   int stress_fd, bool client_asks);

/* Frees it. What tls_session_close() did not say is not said. */
void tls_session_clear(struct tls_session *session);

/* Reads what is there, at least one byte. Returns the number of bytes; 0 if the client said that it
 * sends no more (close_notify); -ECONNRESET if it ended without that, which `is_truncated` tells
 * from other ends; -ETIMEDOUT; -EPROTO if it broke the rules; or another negative errno. */
ssize_t tls_session_receive(struct tls_session *session, void *buffer, size_t size,
                            struct deadline deadline);

/* The same without waiting: -EAGAIN if nothing is there. *ret_wants_output is set if the socket
 * must take output first. */
ssize_t tls_session_read(struct tls_session *session, void *buffer, size_t size,
                         bool *ret_wants_output);

/* Waits until tls_session_receive() would not, or `stop_fd` (-1: none) is readable. Returns 0,
 * -ECANCELED, -ETIMEDOUT, or another negative errno. */
int tls_session_wait(struct tls_session *session, int stop_fd, struct deadline deadline);

/* Writes all of it. Returns 0, -ETIMEDOUT, or another negative errno. */
int tls_session_send(struct tls_session *session, const void *bytes, size_t n_bytes,
                     uint64_t deadline_usec);

/* Writes what the socket takes at once. Returns the number of bytes, -EAGAIN, or another negative
 * errno; *ret_wants_input is set if the socket must be read first. After -EAGAIN the same bytes are
 * to be given again. */
ssize_t tls_session_write(struct tls_session *session, const void *bytes, size_t n_bytes,
                          bool *ret_wants_input);

/* True if tls_session_receive() would not wait, and has something to give. */
bool tls_session_has_input(struct tls_session *session);

/* Says that no more will be sent (close_notify), and closes the sending side. Never waits. Returns
 * 0, or -EAGAIN if the socket does not take that now: then the side is still open. */
int tls_session_end_output(struct tls_session *session);

/* The same, closing the sending side whether or not the client can be told. */
void tls_session_close(struct tls_session *session);
