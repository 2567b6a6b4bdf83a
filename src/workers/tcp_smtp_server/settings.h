/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The PARAMETERs of the service, and what else a session needs to know. */
#pragma once

#include "base/str.h"
#include "workers/common/parameters.h"
#include "workers/tls/settings.h"

#include <stdint.h>

struct tls_context;

/* All in microseconds. */
struct session_timeouts {
    uint64_t command;    /* for a whole command line, and for the client to read our replies */
    uint64_t data_start; /* from the 354 to the first octet of the message */
    uint64_t data_block; /* between two blocks of the message */
    uint64_t discard;    /* for the rest of a message that is refused already */
    uint64_t session;    /* after this, no further command is read */
    uint64_t linger;     /* for the client to read the last reply and to close */
    uint64_t message;    /* for a whole message, plus a second for each MiB of SIZE */
    uint64_t min_octets_per_sec; /* of a message, after the first data_block: slower clients are
                                    disconnected */
};

/* RFC 5321, 4.5.3.2, and our choice for the rest. */
extern const struct session_timeouts session_timeouts_default;

/* For times of stress. */
extern const struct session_timeouts session_timeouts_stressed;

/* Owns its strings. All threads share it, since it is not changed once there are sessions. */
struct session_settings {
    char *service;
    char *host_name;
    char *channel; /* NULL if none is named */
    char *maildir;
    struct str_list domains; /* whose mail is accepted */
    uint64_t max_message_octets;
    struct tls_settings tls;
    struct tls_context *tls_context; /* NULL: there is no certificate, and TLS is not offered */
    struct session_timeouts timeouts;
    struct session_timeouts stressed; /* counts while the service is under stress */
    int stop_fd;   /* readable once sessions are to end soon; -1: never; not ours */
    int stress_fd; /* readable while under stress; -1: never; not ours */
};

/* Starts with the defaults. Returns 0 or -ENOMEM; in either case session_settings_clear() frees. */
int session_settings_init(struct session_settings *settings, const char *service,
                          const char *host_name);

/* CHANNEL=, DOMAIN=, MAILDIR= and SIZE= (tcp_smtp_server(8)). */
extern const struct parameter_table session_parameters;

/* Fills in what no PARAMETER named: DOMAIN and MAILDIR. Returns 0 or -ENOMEM. */
int session_settings_complete(struct session_settings *settings);

void session_settings_clear(struct session_settings *settings);

/* True if mail for the domain is accepted. */
bool session_settings_has_domain(const struct session_settings *settings, const char *domain);
