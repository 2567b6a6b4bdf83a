/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The mail transaction (RFC 5321, 3.3): the results of MAIL and RCPT. */
#pragma once

#include "base/str.h"
#include "workers/tcp_smtp_server/path.h"
#include "workers/tls/facts.h"
#include "workers/tls/failure.h"

#include <stdbool.h>
#include <stdint.h>

struct envelope {
    struct path sender;
    struct str_list
        recipients; /* mailboxes without duplicates; domains are compared without regard to case */
    bool is_smtputf8;
};

/* The client. The strings belong to the caller. */
struct session_peer {
    const char *connection_id; /* dispatcherd's identifier, for Received: and the log */
    const char *host;          /* "192.0.2.1", "2001:db8::1", or "unix" */
    uint16_t port;
    bool is_tls; /* the session begins with the handshake */
    /* Logs a line about the session at a priority of syslog(3); NULL: there is no log. */
    void (*log)(void *userdata, int priority, const char *text);
    void *log_userdata;
    /* Reports the result of a handshake: the facts; or NULL, and the failure. NULL: nobody wants to
     * know. */
    void (*tls)(void *userdata, const struct tls_facts *facts, enum tls_failure failure);
    void *tls_userdata;
};

enum greeting {
    GREETING_NONE,
    GREETING_HELO,
    GREETING_EHLO,
};

/* How the client has introduced itself. */
struct client_greeting {
    enum greeting kind;
    char name[DOMAIN_MAX + 1];
    const struct tls_facts *tls; /* of the session at that time; NULL: plain text */
};
