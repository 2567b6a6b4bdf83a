/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tcp_smtp_server/data.h"

/*   line start --.--> dot --CR--> dot, CR --LF--> END
 *      ^  \            \LF          \other--> BROKEN END
 *      |   other        `--> BROKEN END
 *     LF    v
 *     CR <--CR-- text
 *      `--other, and LF in the text--> a bare line start --.--> bare dot --CR, LF--> BROKEN END
 */
enum {
    STATE_LINE_START, /* nothing yet, or after CRLF */
    STATE_TEXT,
    STATE_CR,
    STATE_DOT,        /* CRLF "." */
    STATE_DOT_CR,     /* CRLF "." CR */
    STATE_BARE_START, /* after a single LF; after a single CR it is reached by STATE_CR */
    STATE_BARE_DOT,   /* a dot after a single LF or CR */
};

void data_decoder_init(struct data_decoder *decoder)
{
    *decoder = (struct data_decoder){.state = STATE_LINE_START};
}

static void set_fault(struct data_decoder *decoder, enum data_fault fault)
{
    if (decoder->fault == DATA_NO_FAULT)
        decoder->fault = fault;
}

/* Handles a character of the text when nothing is pending. Returns the next state. */
static int take_text(struct data_decoder *decoder, char c, char **output)
{
    if (c == '\r')
        return STATE_CR;
    if (c == '\n') {
        set_fault(decoder, DATA_BARE_LF);
        return STATE_BARE_START;
    }
    if (c == '\0')
        set_fault(decoder, DATA_NUL);
    *(*output)++ = c;
    decoder->n_octets++;
    return STATE_TEXT;
}

static int take_after_cr(struct data_decoder *decoder, char c, char **output)
{
    if (c == '\n') {
        *(*output)++ = '\n';
        decoder->n_octets += 2;
        return STATE_LINE_START;
    }
    set_fault(decoder, DATA_BARE_CR);
    return c == '.' ? STATE_BARE_DOT : take_text(decoder, c, output);
}

enum data_status data_decode(struct data_decoder *decoder, const char *input, size_t n_input,
                             char *output, size_t *ret_n_consumed, size_t *ret_n_output)
{
    char *const output_start = output;
    enum data_status status = DATA_MORE;
    size_t i = 0;

    while (i < n_input && status == DATA_MORE) {
        char c = input[i++];

        switch (decoder->state) {
        case STATE_LINE_START:
            decoder->state = c == '.' ? STATE_DOT : take_text(decoder, c, &output);
            break;
        case STATE_TEXT:
            decoder->state = take_text(decoder, c, &output);
            break;
        case STATE_CR:
            decoder->state = take_after_cr(decoder, c, &output);
            break;
        case STATE_DOT:
            if (c == '\r') {
                decoder->state = STATE_DOT_CR;
            } else if (c == '\n') {
                set_fault(decoder, DATA_BARE_LF);
                status = DATA_BROKEN_END;
            } else {
                decoder->state = take_text(decoder, c, &output);
            }
            break;
        case STATE_DOT_CR:
            if (c == '\n') {
                status = DATA_END;
            } else {
                set_fault(decoder, DATA_BARE_CR);
                status = DATA_BROKEN_END;
            }
            break;
        case STATE_BARE_START:
            decoder->state = c == '.' ? STATE_BARE_DOT : take_text(decoder, c, &output);
            break;
        case STATE_BARE_DOT:
            if (c == '\r' || c == '\n')
                status = DATA_BROKEN_END;
            else
                decoder->state = take_text(decoder, c, &output);
            break;
        }
    }
    *ret_n_consumed = i;
    *ret_n_output = (size_t)(output - output_start);
    return status;
}
