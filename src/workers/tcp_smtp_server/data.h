/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Decodes message data as it arrives after 354: finds its end, removes the dots that the client has
 * added for transparency (RFC 5321, 4.5.2), and converts line ends to the single LF of a Maildir.
 *
 * The end is CRLF "." CRLF, and nothing else (RFC 5321, 4.1.1.4). SMTP smuggling uses lines with a
 * single dot that do not begin and end with CRLF: another server on the way takes them for data and
 * we for the end, or the other way round. Here they never are the end, and the session must not go
 * on: see DATA_BROKEN_END. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum data_status {
    DATA_MORE,       /* all input was used, without reaching the end */
    DATA_END,        /* the rest of the input is commands */
    DATA_BROKEN_END, /* a single dot with a wrong line end: the client may have meant the end or
                        not, so nothing after it may be read as a command */
};

/* Why the message cannot be delivered. Reading goes on to its end, since the client expects no
 * reply before. */
enum data_fault {
    DATA_NO_FAULT,
    DATA_BARE_LF,
    DATA_BARE_CR,
    DATA_NUL,
};

struct data_decoder {
    int state;
    enum data_fault fault; /* the first one */
    uint64_t
        n_octets; /* of the message as RFC 1870, 3 counts: CRLF is two, added dots do not count */
};

void data_decoder_init(struct data_decoder *decoder);

/* Decodes input[n_input] into `output`, which has room for n_input bytes and may be the same
 * memory. */
enum data_status data_decode(struct data_decoder *decoder, const char *input, size_t n_input,
                             char *output, size_t *ret_n_consumed, size_t *ret_n_output);
