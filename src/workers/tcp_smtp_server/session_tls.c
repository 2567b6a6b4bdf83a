/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* TLS in a session: from the first byte on, or by STARTTLS (RFC 3207). */
#include "workers/tcp_smtp_server/session_internal.h"
#include "workers/tcp_smtp_server/session_log.h"

bool session_offers_tls(const struct session *session)
{
    return session->reader.transport->start_tls && !session->tls;
}

static void session_note_tls(const struct session *session, enum tls_failure failure)
{
    const struct session_peer *peer = session->peer;

    if (peer->tls)
        peer->tls(peer->tls_userdata, session->tls, failure);
}

/* Only the certificate's subject is logged here; that TLS is used is logged with each message. A
 * certificate that nobody has signed can be any stranger's: such lines are limited. */
static void session_log_client(const struct session *session)
{
    const struct tls_facts *tls = session->tls;

    if (tls->digest[0])
        session_log(tls->is_verified ? LOG_INFO : LOG_NOTICE, session->peer,
                    "client certificate: %s, SHA-256 %s, %s", tls->subject, tls->digest,
                    tls->is_verified ? "verified" : "not verified");
}

bool session_start_tls(struct session *session)
{
    const struct transport *transport = session->reader.transport;
    /* After STARTTLS; on a TLS_PORT the greeting is next. */
    bool client_asks = !session->peer->is_tls;
    enum tls_failure failure =
        transport->start_tls ? transport->start_tls(transport->userdata, client_asks, &session->tls)
                             : TLS_FAILED_NO_CERTIFICATE;

    session_note_tls(session, failure);
    if (failure != TLS_NO_FAILURE)
        return false;
    session_log_client(session);
    return true;
}

/* RFC 3207, 4.2: everything that the client said in plain text is forgotten, since an attacker may
 * have said it. If anything followed the command, the session has ended already (is_out_of_step());
 * from now on everything is read by TLS. */
void do_starttls(struct session *session, const char *argument _unused_)
{
    if (!session->reader.transport->start_tls) {
        refuse_not_implemented(session, argument);
        return;
    }
    if (session->tls) {
        session_refuse(session, "503 5.5.1 TLS is active");
        return;
    }
    session_reply(session, "220 2.0.0 Ready to start TLS");
    if (reply_flush(&session->replies) < 0 || !session_start_tls(session)) {
        session->state = STATE_CLOSING;
        return;
    }
    line_reader_init(&session->reader, session->reader.transport);
    session->greeting = (struct client_greeting){0};
    session->state = STATE_GREETED;
}

void refuse_in_transaction(struct session *session, const char *argument _unused_)
{
    session_refuse(session, "503 5.5.1 Not while a message is being sent");
}
