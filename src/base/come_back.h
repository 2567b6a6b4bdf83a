/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a client reads that cannot be served now but may come back. It is in the words of the
 * client's protocol, so that the client tries again and reports no permanent failure. */
#pragma once

#include <stdint.h>

enum come_back_protocol {
    COME_BACK_UNKNOWN, /* unknown, or one in which the server does not speak first */
    COME_BACK_SMTP,    /* submission and LMTP too */
    COME_BACK_POP3,
    COME_BACK_IMAP,
    COME_BACK_NNTP,
    COME_BACK_FTP,
    COME_BACK_N_PROTOCOLS
};

enum come_back_cause {
    COME_BACK_BUSY,         /* the server is full, or down */
    COME_BACK_FROM_ADDRESS, /* the address has as many connections as it may have */
    COME_BACK_FROM_NETWORK, /* its network has */
    COME_BACK_N_CAUSES
};

/* The protocol of a port whose connections begin without TLS, as IANA has assigned it. */
enum come_back_protocol come_back_protocol_of_port(uint16_t port);

/* One line with CRLF; "" for COME_BACK_UNKNOWN. */
const char *come_back_text(enum come_back_protocol protocol, enum come_back_cause cause);
