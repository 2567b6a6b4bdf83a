/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* One message, from DATA to the Maildir: written to its file as it arrives, so that messages are
 * never held in memory. */
#pragma once

#include "workers/tcp_smtp_server/data.h"
#include "workers/tcp_smtp_server/envelope.h"
#include "workers/tcp_smtp_server/line_reader.h"
#include "workers/tcp_smtp_server/maildir.h"
#include "workers/tcp_smtp_server/settings.h"

struct message {
    const struct session_settings *settings;
    const struct session_peer *peer;
    const struct envelope *envelope;
    const struct tls_facts *tls; /* NULL: it arrives in plain text */
    struct data_decoder decoder;
    struct maildir_delivery delivery;
    bool is_delivering; /* `delivery` is in progress */
    int error;          /* a negative errno: why it could not be written */
};

enum message_end {
    MESSAGE_DELIVERED,  /* delivered to the Maildir: 250 */
    MESSAGE_TOO_BIG,    /* 552 */
    MESSAGE_NO_SPACE,   /* 452 */
    MESSAGE_NO_STORAGE, /* 451: any other error of the file system */
    MESSAGE_FAULTY,     /* refused, and the session must end: decoder.fault is the reason */
    MESSAGE_TIMEOUT,    /* the client was too slow, and the session must end */
    MESSAGE_CLIENT_GONE,
};

/* Opens the file and writes our header lines. Returns MESSAGE_DELIVERED if the data can be
 * received, MESSAGE_NO_SPACE or MESSAGE_NO_STORAGE. */
enum message_end message_begin(struct message *message, const struct session_settings *settings,
                               const struct session_peer *peer,
                               const struct client_greeting *greeting,
                               const struct envelope *envelope);

/* Reads the data to its end, and delivers it or returns why not. In both cases the message has
 * ended, and only a delivered message is left. */
enum message_end message_receive(struct message *message, struct line_reader *reader);
