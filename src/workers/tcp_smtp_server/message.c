/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tcp_smtp_server/message.h"

#include "base/time.h"
#include "workers/tcp_smtp_server/session_log.h"
#include "workers/tcp_smtp_server/trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static enum message_end end_of_error(int error)
{
    return error == -ENOSPC || error == -EDQUOT || error == -EFBIG ? MESSAGE_NO_SPACE
                                                                   : MESSAGE_NO_STORAGE;
}

/* The file cannot be written, or must not be: further data is read and discarded. */
static void stop_delivering(struct message *message)
{
    if (message->is_delivering)
        maildir_abort(&message->delivery);
    message->is_delivering = false;
}

static void set_error(struct message *message, int error)
{
    message->error = error;
    session_log(LOG_ERR, message->peer, "cannot write a message to %s: %s",
                message->settings->maildir, strerror(-error));
    stop_delivering(message);
}

static int write_text(struct message *message, const char *text)
{
    return maildir_write(&message->delivery, text, strlen(text));
}

static int write_header(struct message *message, const struct client_greeting *greeting)
{
    const struct str_list *recipients = &message->envelope->recipients;
    char text[TRACE_RECEIVED_BYTES];

    snprintf(text, sizeof(text), "Return-Path: <%s>\n", message->envelope->sender.mailbox);
    int r = write_text(message, text);
    for (size_t i = 0; r == 0 && i < recipients->n_items; i++) {
        snprintf(text, sizeof(text), "Delivered-To: %s\n", recipients->items[i]);
        r = write_text(message, text);
    }
    if (r == 0)
        r = write_text(message, trace_received(text, message->settings, message->peer, greeting,
                                               message->envelope, time(NULL)));
    return r;
}

enum message_end message_begin(struct message *message, const struct session_settings *settings,
                               const struct session_peer *peer,
                               const struct client_greeting *greeting,
                               const struct envelope *envelope)
{
    message->settings = settings;
    message->peer = peer;
    message->envelope = envelope;
    message->tls = greeting->tls;
    message->error = 0;
    message->is_delivering = false;
    data_decoder_init(&message->decoder);
    int r = maildir_begin(&message->delivery, settings->maildir, settings->host_name);
    if (r == 0) {
        message->is_delivering = true;
        r = write_header(message, greeting);
    }
    if (r < 0) {
        set_error(message, r);
        return end_of_error(r);
    }
    return MESSAGE_DELIVERED;
}

static bool is_too_big(const struct message *message)
{
    return message->decoder.n_octets > message->settings->max_message_octets;
}

/* Decodes what is buffered. */
static enum data_status take_data(struct message *message, struct line_reader *reader)
{
    size_t n_bytes, n_consumed, n_decoded;
    char *bytes = line_reader_bytes(reader, &n_bytes);
    enum data_status status =
        data_decode(&message->decoder, bytes, n_bytes, bytes, &n_consumed, &n_decoded);

    line_reader_consume(reader, n_consumed);
    if (message->decoder.fault != DATA_NO_FAULT || is_too_big(message))
        stop_delivering(message);
    if (message->is_delivering) {
        int r = maildir_write(&message->delivery, bytes, n_decoded);

        if (r < 0)
            set_error(message, r);
    }
    return status;
}

/* The time by which the whole message must have arrived: a fixed limit, and the minimum rate. So a
 * message always ends, whatever the client does. */
static uint64_t whole_usec(const struct message *message, const struct session_timeouts *timeouts)
{
    uint64_t at_rate = timeouts->data_block +
                       message->decoder.n_octets / timeouts->min_octets_per_sec * USEC_PER_SEC;
    uint64_t longest =
        timeouts->message + (message->settings->max_message_octets >> 20) * USEC_PER_SEC;

    return at_rate < longest ? at_rate : longest;
}

static struct deadline deadline_of(const struct message *message, uint64_t started_at,
                                   uint64_t refused_at, bool is_first)
{
    const struct session_timeouts *usual = &message->settings->timeouts;
    const struct session_timeouts *stressed = &message->settings->stressed;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    struct deadline block = is_first ? deadline_after(now, usual->data_start, stressed->data_start)
                                     : deadline_after(now, usual->data_block, stressed->data_block);
    struct deadline whole =
        deadline_after(started_at, whole_usec(message, usual), whole_usec(message, stressed));

    return deadline_earlier(deadline_earlier(block, whole),
                            deadline_after(refused_at, usual->discard, stressed->discard));
}

/* Reads until the end of the data was found. Returns the decoder's status, -ETIMEDOUT, or another
 * negative errno if the client is gone. */
static int read_to_the_end(struct message *message, struct line_reader *reader)
{
    const uint64_t started_at = time_now_usec(CLOCK_MONOTONIC);
    uint64_t refused_at = USEC_INFINITY;

    for (bool is_first = true;; is_first = false) {
        enum data_status status = take_data(message, reader);

        if (status != DATA_MORE)
            return (int)status;
        if (!message->is_delivering && refused_at == USEC_INFINITY)
            refused_at = time_now_usec(CLOCK_MONOTONIC);
        ssize_t n =
            line_reader_fill(reader, deadline_of(message, started_at, refused_at, is_first));
        if (n <= 0)
            return n < 0 ? (int)n : -ECONNRESET;
    }
}

static void log_delivered(const struct message *message)
{
    const struct str_list *recipients = &message->envelope->recipients;
    char others[32] = "";

    if (recipients->n_items > 1)
        snprintf(others, sizeof(others), " and %zu more", recipients->n_items - 1);
    session_log(LOG_INFO, message->peer,
                "delivered %" PRIu64 " bytes from <%s> for <%s>%s as %s%s%s%s%s",
                message->decoder.n_octets, message->envelope->sender.mailbox, recipients->items[0],
                others, message->delivery.file_name, message->tls ? ", over " : "",
                message->tls ? message->tls->protocol : "", message->tls ? " with " : "",
                message->tls ? message->tls->cipher : "");
}

enum message_end message_receive(struct message *message, struct line_reader *reader)
{
    int r = read_to_the_end(message, reader);

    if (r == DATA_END && message->is_delivering) {
        message->is_delivering = false;
        int error = maildir_commit(&message->delivery);
        if (error < 0)
            set_error(message, error);
        else
            log_delivered(message);
    }
    stop_delivering(message);
    if (r == -ETIMEDOUT)
        return MESSAGE_TIMEOUT;
    if (r < 0)
        return MESSAGE_CLIENT_GONE;
    if (r == DATA_BROKEN_END || message->decoder.fault != DATA_NO_FAULT)
        return MESSAGE_FAULTY;
    if (is_too_big(message))
        return MESSAGE_TOO_BIG;
    return message->error < 0 ? end_of_error(message->error) : MESSAGE_DELIVERED;
}
