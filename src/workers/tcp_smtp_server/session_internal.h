/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The state of a session, shared by session*.c only. */
#pragma once

#include "workers/tcp_smtp_server/command.h"
#include "workers/tcp_smtp_server/message.h"
#include "workers/tcp_smtp_server/reply.h"
#include "workers/tcp_smtp_server/session.h"

/*                     HELO, EHLO           MAIL              RCPT
 *      GREETED ----------------> IDLE -----------> SENDER ------> RECIPIENTS --.
 *                                 ^                   |            |  ^   |     |
 *                                 `-------------------'------------'  `RCPT     |
 *                                  RSET, HELO, EHLO                             |
 *                                 ^                           DATA and message  |
 *                                 `---------------------------------------------'
 *      from IDLE: back to GREETED by STARTTLS, after the handshake (RFC 3207, 4.2).
 *      from everywhere: CLOSING (QUIT, errors, time-outs), the end. */
enum session_state {
    STATE_GREETED,
    STATE_IDLE,
    STATE_SENDER,
    STATE_RECIPIENTS,
    N_COMMAND_STATES,
    STATE_CLOSING = N_COMMAND_STATES, /* accepts no command */
};

struct session {
    const struct session_settings *settings;
    const struct session_peer *peer;
    enum session_state state;
    struct client_greeting greeting;
    const struct tls_facts *tls; /* of the transport; NULL: plain text */
    struct envelope envelope;
    unsigned n_recipients_over;    /* refused with 452 in this transaction */
    unsigned n_recipients_refused; /* in the whole session */
    unsigned n_errors;
    unsigned n_idle_commands;
    struct deadline ends_at; /* limit of the whole session */
    bool must_linger;        /* the client may still be sending */
    struct line_reader reader;
    struct reply_writer replies;
    struct message message;
};

#define session_reply(session, ...) reply_add(&(session)->replies, __VA_ARGS__)

/* The session ends after the reply `text` (NULL: no further one). The reason is for the log. */
void session_close(struct session *session, const char *text, const char *reason);

/* Refuses a command; too many refusals end the session. */
void session_refuse(struct session *session, const char *text);

/* Logs how many further recipients were refused. */
void session_log_more_refused(const struct session *session);

/* Forgets the results of MAIL and RCPT. */
void session_reset_transaction(struct session *session);

/* Whether STARTTLS is offered: TLS is possible, and not in use yet. */
bool session_offers_tls(const struct session *session);

/* Waits for the client's handshake. Returns false if it failed: the session has ended then, without
 * a further reply. */
bool session_start_tls(struct session *session);

/* Carries out a command in a state, or refuses it. */
typedef void command_function(struct session *session, const char *argument);

command_function do_helo, do_ehlo, do_mail, do_rcpt, do_data, do_rset, do_noop, do_vrfy, do_help,
    do_quit, do_starttls;
command_function refuse_unknown, refuse_not_implemented, refuse_http, refuse_without_greeting,
    refuse_without_mail, refuse_without_recipient, refuse_second_mail, refuse_in_transaction;
