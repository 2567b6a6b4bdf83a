/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A transport over a socket that begins in plain text, and can go on with TLS. */
#pragma once

#include "workers/tcp_smtp_server/transport.h"
#include "workers/tls/tls_session.h"

struct transport_tls {
    struct transport_socket socket;
    struct transport plain;      /* over the socket */
    struct tls_context *context; /* NULL: there is no TLS; not owned */
    bool is_on;                  /* `session` is there */
    struct tls_session session;
};

/* As transport_over_socket(). */
struct transport transport_over_tls(struct transport_tls *tls);

/* Frees what TLS needed; the socket stays open. */
void transport_tls_clear(struct transport_tls *tls);
