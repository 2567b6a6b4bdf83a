/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the service's PARAMETERs say, and what a session needs to know beside them. */
#pragma once

#include "base/str.h"
#include "workers/common/parameters.h"

#include <stdint.h>

/* All in microseconds. */
struct session_timeouts {
    uint64_t command;    /* for a whole command line, and for the client to read our replies */
    uint64_t data_start; /* from the 354 to the first octet of the message */
    uint64_t data_block; /* from one block of the message to the next */
    uint64_t discard;    /* for the rest of a message that is already refused */
    uint64_t session;    /* after which no further command is awaited */
    uint64_t linger;     /* for the client to read the last reply and close */
    uint64_t message;    /* for a whole message, and a second more for each MiB of SIZE */
    uint64_t min_octets_per_sec; /* of a message, after the first data_block: who is slower is sent
                                  * away */
};

/* RFC 5321, 4.5.3.2, and what it leaves to us. */
extern const struct session_timeouts session_timeouts_default;

/* While the service is under stress. */
extern const struct session_timeouts session_timeouts_stressed;

/* Owns its strings. Not changed once sessions run, so all threads share it. */
struct session_settings {
    char *service;
    char *host_name;
    char *channel; /* NULL if none is named */
    char *maildir;
    struct str_list domains; /* whose mail is accepted */
    uint64_t max_message_octets;
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
