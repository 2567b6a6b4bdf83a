/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What session.c and session_commands.c share, and nobody else includes: the session's state. */
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
 *      from everywhere: CLOSING (QUIT, errors, time-outs), the end. */
enum session_state {
    STATE_GREETED,
    STATE_IDLE,
    STATE_SENDER,
    STATE_RECIPIENTS,
    N_COMMAND_STATES,
    STATE_CLOSING = N_COMMAND_STATES, /* takes no command */
};

struct session {
    const struct session_settings *settings;
    const struct session_peer *peer;
    enum session_state state;
    struct client_greeting greeting;
    struct envelope envelope;
    unsigned n_recipients_over;    /* refused with 452 in this transaction */
    unsigned n_recipients_refused; /* in the whole session */
    unsigned n_errors;
    unsigned n_idle_commands;
    struct deadline ends_at; /* the whole session's limit */
    bool must_linger;        /* the client may still be sending */
    struct line_reader reader;
    struct reply_writer replies;
    struct message message;
};

#define session_reply(session, ...) reply_add(&(session)->replies, __VA_ARGS__)

/* The session ends after the reply `text` (NULL: after what was said before). The reason is for the
 * log. */
void session_close(struct session *session, const char *text, const char *reason);

/* Refuses a command; too many refusals end the session. */
void session_refuse(struct session *session, const char *text);

/* Logs how many refused recipients had no line. */
void session_log_more_refused(const struct session *session);

/* Forgets what MAIL and RCPT said. */
void session_reset_transaction(struct session *session);

/* What a command does in a state where it is in its place, or the refusal where it is not. */
typedef void command_function(struct session *session, const char *argument);

command_function do_helo, do_ehlo, do_mail, do_rcpt, do_data, do_rset, do_noop, do_vrfy, do_help,
    do_quit;
command_function refuse_unknown, refuse_not_implemented, refuse_http, refuse_without_greeting,
    refuse_without_mail, refuse_without_recipient, refuse_second_mail;
