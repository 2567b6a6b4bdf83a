/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tcp_smtp_server/trace.h"

#include "base/address.h"

#include <sys/socket.h>

/* The client's address as the peer says: TCP-info of RFC 5321, 4.4, or a comment in its place. */
static void add_client(struct str_buffer *received, const struct session_peer *peer)
{
    struct address address;

    if (address_parse(peer->host, &address) < 0)
        str_buffer_add(received, "(%s)", peer->host);
    else if (address.family == AF_INET6)
        str_buffer_add(received, "([IPv6:%s])", peer->host);
    else
        str_buffer_add(received, "([%s])", peer->host);
}

/* The IANA's mail transmission types (RFC 3848, RFC 6531). There is none for TLS without EHLO; the
 * "tls" clause says it. */
static const char *protocol(const struct client_greeting *greeting, const struct envelope *envelope)
{
    if (greeting->kind != GREETING_EHLO)
        return "SMTP";
    if (greeting->tls)
        return envelope->is_smtputf8 ? "UTF8SMTPS" : "ESMTPS";
    return envelope->is_smtputf8 ? "UTF8SMTP" : "ESMTP";
}

const char *trace_received(char text[TRACE_RECEIVED_BYTES], const struct session_settings *settings,
                           const struct session_peer *peer, const struct client_greeting *greeting,
                           const struct envelope *envelope, time_t now)
{
    struct str_buffer received = str_buffer_init(text, TRACE_RECEIVED_BYTES);
    char date[64];
    struct tm local;

    str_buffer_add(&received, "Received: from %s ", greeting->name);
    add_client(&received, peer);
    str_buffer_add(&received, "\n\tby %s (dispatcherd", settings->host_name);
    if (settings->channel)
        str_buffer_add(&received, ", channel %s", settings->channel);
    str_buffer_add(&received, ")\n\twith %s id %s", protocol(greeting, envelope),
                   peer->connection_id);
    /* With several, each would learn of the others. */
    if (envelope->recipients.n_items == 1)
        str_buffer_add(&received, "\n\tfor <%s>", envelope->recipients.items[0]);
    if (greeting->tls) /* RFC 8314, 7.4 */
        str_buffer_add(&received, "\n\ttls %s (%s)", greeting->tls->suite, greeting->tls->protocol);
    tzset(); /* localtime_r() need not notice that the time zone has changed */
    localtime_r(&now, &local);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S %z", &local);
    str_buffer_add(&received, ";\n\t%s\n", date);
    return text;
}
