/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a client is told that cannot be served now and may come back: in the words of the protocol
 * that it expects, so that it does come back and reports nothing as failed for ever. */
#pragma once

#include <stdint.h>

enum come_back_protocol {
    COME_BACK_UNKNOWN, /* the server does not speak first, or nothing is known */
    COME_BACK_SMTP,    /* submission and LMTP too */
    COME_BACK_POP3,
    COME_BACK_IMAP,
    COME_BACK_NNTP,
    COME_BACK_FTP,
    COME_BACK_N_PROTOCOLS
};

enum come_back_cause {
    COME_BACK_BUSY,         /* the server is full, or away */
    COME_BACK_FROM_ADDRESS, /* as many connections of one address as are allowed */
    COME_BACK_FROM_NETWORK, /* of one network */
    COME_BACK_N_CAUSES
};

/* The protocol of a port whose connections begin without TLS, by the assignments of IANA. */
enum come_back_protocol come_back_protocol_of_port(uint16_t port);

/* One line with CRLF; "" for COME_BACK_UNKNOWN. */
const char *come_back_text(enum come_back_protocol protocol, enum come_back_cause cause);
