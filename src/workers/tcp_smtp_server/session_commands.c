/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tcp_smtp_server/session_internal.h"
#include "workers/tcp_smtp_server/session_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* RFC 5321, 4.5.3.1.8, asks for at least 100. */
#define MAX_RECIPIENTS 1000
/* How many further RCPTs are answered with 452, which a client may have pipelined before it read
 * the first one. More are errors. */
#define MAX_RECIPIENTS_OVER 1000
/* How many rejected recipients of one session are logged; further ones are only counted. */
#define MAX_REFUSED_LOGGED 10
/* How many commands may be refused after the last message. */
#define MAX_ERRORS 20

/* The session ends after this reply (NULL: no further one). The reason is logged. */
void session_close(struct session *session, const char *text, const char *reason)
{
    if (text)
        session_reply(session, "%s", text);
    session_log(LOG_NOTICE, session->peer, "closed: %s", reason);
    session->must_linger = true;
    session->state = STATE_CLOSING;
}

/* Every refusal of a command is made here. */
void session_refuse(struct session *session, const char *text)
{
    if (++session->n_errors < MAX_ERRORS)
        session_reply(session, "%s", text);
    else
        session_close(session, "421 4.7.0 Too many errors", "too many errors");
}

void session_reset_transaction(struct session *session)
{
    str_list_clear(&session->envelope.recipients);
    session->n_recipients_over = 0;
    if (session->state == STATE_SENDER || session->state == STATE_RECIPIENTS)
        session->state = STATE_IDLE;
}

/* Returns false if it was refused. */
static bool take_greeting(struct session *session, const char *argument, enum greeting kind)
{
    const char *refusal = command_parse_greeting(argument, kind, &session->greeting);

    if (refusal) {
        session_refuse(session, refusal);
        return false;
    }
    session->greeting.tls = session->tls;
    /* RFC 5321, 4.1.4: as if RSET had been sent. */
    session_reset_transaction(session);
    session->state = STATE_IDLE;
    return true;
}

void do_helo(struct session *session, const char *argument)
{
    if (take_greeting(session, argument, GREETING_HELO))
        session_reply(session, "250 %s", session->settings->host_name);
}

void do_ehlo(struct session *session, const char *argument)
{
    if (!take_greeting(session, argument, GREETING_EHLO))
        return;
    session_reply(session, "250-%s", session->settings->host_name);
    session_reply(session, "250-PIPELINING");
    session_reply(session, "250-SIZE %" PRIu64, session->settings->max_message_octets);
    session_reply(session, "250-8BITMIME");
    session_reply(session, "250-ENHANCEDSTATUSCODES");
    if (session_offers_tls(session))
        session_reply(session, "250-STARTTLS");
    session_reply(session, "250 SMTPUTF8");
}

void do_mail(struct session *session, const char *argument)
{
    struct mail_arguments mail;
    const char *refusal =
        session->settings->tls.is_required && !session->tls
            ? "530 5.7.0 Say STARTTLS first"
            : command_parse_mail(argument, session->greeting.kind == GREETING_EHLO, &mail);

    if (!refusal && mail.size > session->settings->max_message_octets)
        refusal = "552 5.3.4 Message too big";
    if (refusal) {
        session_refuse(session, refusal);
        return;
    }
    session->envelope.is_smtputf8 = mail.is_smtputf8;
    session->envelope.sender = mail.sender;
    session->state = STATE_SENDER;
    session_reply(session, "250 2.1.0 Sender ok");
}

static bool has_recipient(const struct envelope *envelope, const char *mailbox)
{
    for (size_t i = 0; i < envelope->recipients.n_items; i++)
        if (strcmp(envelope->recipients.items[i], mailbox) == 0)
            return true;
    return false;
}

/* For administrators who look for missing mail. */
static void log_refused_recipient(struct session *session, const char *argument, const char *reply)
{
    const char *sender = session->envelope.sender.mailbox;
    const char *path = strchr(argument, '<');

    if (++session->n_recipients_refused <= MAX_REFUSED_LOGGED)
        session_log(LOG_NOTICE, session->peer, "rejected recipient: %.320s, from <%s>: %s",
                    path ? path : argument, sender, reply);
}

void session_log_more_refused(const struct session *session)
{
    if (session->n_recipients_refused > MAX_REFUSED_LOGGED)
        session_log(LOG_NOTICE, session->peer, "rejected recipient: %u more in this session",
                    session->n_recipients_refused - MAX_REFUSED_LOGGED);
}

/* RFC 5321, 4.5.3.1.10: 452; the recipients so far are kept. */
static void refuse_one_more_recipient(struct session *session, const char *argument)
{
    static const char text[] = "452 4.5.3 Too many recipients";

    log_refused_recipient(session, argument, text);
    if (session->n_recipients_over++ < MAX_RECIPIENTS_OVER)
        session_reply(session, "%s", text);
    else
        session_refuse(session, text);
}

void do_rcpt(struct session *session, const char *argument)
{
    struct envelope *envelope = &session->envelope;
    struct path path;
    const char *refusal = command_parse_rcpt(argument, envelope->is_smtputf8, &path);

    if (!refusal && *path_domain(&path) &&
        !session_settings_has_domain(session->settings, path_domain(&path)))
        refusal = "550 5.7.1 Mail for this domain is not accepted here";
    if (refusal) {
        log_refused_recipient(session, argument, refusal);
        session_refuse(session, refusal);
        return;
    }
    if (!has_recipient(envelope, path.mailbox)) {
        if (envelope->recipients.n_items >= MAX_RECIPIENTS) {
            refuse_one_more_recipient(session, argument);
            return;
        }
        if (str_list_append(&envelope->recipients, path.mailbox) < 0) {
            session_reply(session, "452 4.3.0 Out of memory");
            return;
        }
    }
    session->state = STATE_RECIPIENTS;
    session_reply(session, "250 2.1.5 Recipient ok");
}

static const char *fault_to_string(enum data_fault fault)
{
    switch (fault) {
    case DATA_BARE_LF:
        return "bare <LF>";
    case DATA_BARE_CR:
        return "bare <CR>";
    case DATA_NUL:
        return "NUL";
    case DATA_NO_FAULT:
        break;
    }
    return "single dot with an invalid line end";
}

/* A message that breaks the rules ends the session: the commands that follow may have been smuggled
 * into it. */
static void refuse_faulty(struct session *session, enum data_fault fault)
{
    char reason[64];

    session_reply(session, "554 5.6.0 Refused: %s in the message", fault_to_string(fault));
    snprintf(reason, sizeof(reason), "%s in a message", fault_to_string(fault));
    session_close(session, NULL, reason);
}

static void finish_message(struct session *session, enum message_end end)
{
    switch (end) {
    case MESSAGE_DELIVERED:
        session->n_errors = session->n_idle_commands = 0;
        session_reply(session, "250 2.0.0 Delivered as %s", session->message.delivery.file_name);
        break;
    case MESSAGE_TOO_BIG:
        session_refuse(session, "552 5.3.4 Message too big");
        break;
    case MESSAGE_NO_SPACE:
        session_reply(session, "452 4.3.1 Insufficient system storage");
        break;
    case MESSAGE_NO_STORAGE:
        session_reply(session, "451 4.3.0 The message could not be stored");
        break;
    case MESSAGE_FAULTY:
        refuse_faulty(session, session->message.decoder.fault);
        break;
    case MESSAGE_TIMEOUT:
        session_close(session, "421 4.4.2 Timeout",
                      deadline_is_stressed(session->settings->stress_fd)
                          ? "time-out in a message; the service is under stress"
                          : "time-out in a message");
        break;
    case MESSAGE_CLIENT_GONE:
        session->state = STATE_CLOSING;
        break;
    }
    session_reset_transaction(session);
}

void do_data(struct session *session, const char *argument _unused_)
{
    struct message *message = &session->message;
    enum message_end end = message_begin(message, session->settings, session->peer,
                                         &session->greeting, &session->envelope);

    /* Without the 354 the client sends no message, so a full disk costs it no transfer. */
    if (end == MESSAGE_DELIVERED) {
        session_reply(session, "354 End data with <CR><LF>.<CR><LF>");
        (void)reply_flush(&session->replies);
        end = message_receive(message, &session->reader);
    }
    finish_message(session, end);
}

void do_rset(struct session *session, const char *argument _unused_)
{
    session_reset_transaction(session);
    session_reply(session, "250 2.0.0 Ok");
}

void do_noop(struct session *session, const char *argument _unused_)
{
    session_reply(session, "250 2.0.0 Ok");
}

void do_vrfy(struct session *session, const char *argument)
{
    /* RFC 5321, 3.5.3: the reply of a server that does not verify addresses. */
    if (*argument)
        session_reply(session, "252 2.5.2 Send some mail and see");
    else
        session_refuse(session, "501 5.5.4 Syntax: VRFY address");
}

void do_help(struct session *session, const char *argument _unused_)
{
    session_reply(session,
                  "214 2.0.0 Commands: HELO EHLO %sMAIL RCPT DATA RSET NOOP VRFY HELP QUIT",
                  session_offers_tls(session) ? "STARTTLS " : "");
}

void do_quit(struct session *session, const char *argument _unused_)
{
    session_reply(session, "221 2.0.0 Bye");
    session->state = STATE_CLOSING;
}

void refuse_unknown(struct session *session, const char *argument _unused_)
{
    session_refuse(session, "500 5.5.1 Unknown command");
}

void refuse_not_implemented(struct session *session, const char *argument _unused_)
{
    session_refuse(session, "502 5.5.1 Command not implemented");
}

void refuse_http(struct session *session, const char *argument _unused_)
{
    session_close(session, "421 4.7.0 This is an SMTP server", "a command of HTTP");
}

void refuse_without_greeting(struct session *session, const char *argument _unused_)
{
    session_refuse(session, "503 5.5.1 Say EHLO or HELO first");
}

void refuse_without_mail(struct session *session, const char *argument _unused_)
{
    session_refuse(session, "503 5.5.1 MAIL is needed first");
}

void refuse_second_mail(struct session *session, const char *argument _unused_)
{
    session_refuse(session, "503 5.5.1 A sender is named already");
}

void refuse_without_recipient(struct session *session, const char *argument _unused_)
{
    session_refuse(session, "554 5.5.1 No valid recipients");
}
