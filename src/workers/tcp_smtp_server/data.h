/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Message data as it comes after 354: finds its end, takes the dots away that the client added for
 * transparency (RFC 5321, 4.5.2), and makes line ends the single LF of a Maildir.
 *
 * The end is CRLF "." CRLF, and nothing else (RFC 5321, 4.1.1.4). A line that holds a single dot
 * but does not begin and end with CRLF is what SMTP smuggling is made of: another server on the
 * way may have taken it for data while we take it for the end, or the other way round. It is
 * never the end for us, and the session must not go on: see DATA_BROKEN_END. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum data_status {
    DATA_MORE,       /* all input was used, the end was not seen */
    DATA_END,        /* the input after what was consumed are commands */
    DATA_BROKEN_END, /* a dot alone, with a wrong line end: the client and we may disagree on what
                      * follows, so nothing that follows may be read as a command */
};

/* What makes the message unfit for delivery. Reading goes on until the end, since the client
 * listens to no reply before. */
enum data_fault {
    DATA_NO_FAULT,
    DATA_BARE_LF,
    DATA_BARE_CR,
    DATA_NUL,
};

struct data_decoder {
    int state;
    enum data_fault fault; /* the first one */
    uint64_t n_octets; /* of the message as RFC 1870, 3 counts: CRLF is two, added dots are none */
};

void data_decoder_init(struct data_decoder *decoder);

/* Decodes input[n_input] into `output`, which has room for n_input bytes and may be the input
 * itself. */
enum data_status data_decode(struct data_decoder *decoder, const char *input, size_t n_input,
                             char *output, size_t *ret_n_consumed, size_t *ret_n_output);
