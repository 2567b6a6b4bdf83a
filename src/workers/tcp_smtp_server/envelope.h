/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The mail transaction (RFC 5321, 3.3): what MAIL and RCPT have said so far. */
#pragma once

#include "base/str.h"
#include "workers/tcp_smtp_server/path.h"

#include <stdint.h>

struct envelope {
    struct path sender;
    struct str_list recipients; /* mailboxes; no two alike, domains compared without case */
    bool is_smtputf8;
};

/* Who the client is. The strings are the caller's. */
struct session_peer {
    const char *connection_id; /* of dispatcherd, for Received: and the log */
    const char *host;          /* "192.0.2.1", "2001:db8::1", or "unix" */
    uint16_t port;
    /* Takes the lines about the session, at priorities of syslog(3); NULL: nobody does. */
    void (*log)(void *userdata, int priority, const char *text);
    void *log_userdata;
};

enum greeting {
    GREETING_NONE,
    GREETING_HELO,
    GREETING_EHLO,
};

/* What the client said of itself. */
struct client_greeting {
    enum greeting kind;
    char name[DOMAIN_MAX + 1];
};
