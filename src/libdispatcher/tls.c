/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "libdispatcher/tls.h"

#include "libdispatcher/internal.h"

#include "base/time.h"
#include "protocol/channel.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* After a full channel. */
#define RETRY_USEC (100 * USEC_PER_MSEC)

static const char *const failures[] = {
    [DISPATCHER_TLS_TIMEOUT] = "FAILED_timeout",
    [DISPATCHER_TLS_NO_SHARED_CIPHER] = "FAILED_no_shared_cipher",
    [DISPATCHER_TLS_VERSION] = "FAILED_version",
    [DISPATCHER_TLS_BAD_CERTIFICATE] = "FAILED_bad_certificate",
    [DISPATCHER_TLS_PLAIN_TEXT] = "FAILED_plain_text",
    [DISPATCHER_TLS_GONE] = "FAILED_gone",
    [DISPATCHER_TLS_NO_CERTIFICATE] = "FAILED_no_certificate",
    [DISPATCHER_TLS_ERROR] = "FAILED_error",
};

static_assert(sizeof(failures) / sizeof(failures[0]) == DISPATCHER_TLS_FAILURES, "a word for each");

void tls_init(struct tls_news *news)
{
    pthread_mutex_init(&news->lock, NULL);
}

void tls_meet(struct tls_news *news, bool is_known)
{
    pthread_mutex_lock(&news->lock);
    news->is_known = is_known;
    news->is_unsent = false;
    pthread_mutex_unlock(&news->lock);
}

/* Called with the lock held, as is tls_send_news(). If the channel is closed, nobody listens.
 * Returns false if it was full. */
static bool tls_send(const dispatcher_worker *worker, const char *bytes, size_t length)
{
    return !worker->tls.is_known ||
           channel_send(worker->channel, bytes, length, NULL, 0) != -EAGAIN;
}

/* Sends what has not been sent: the certificate, and the counts. */
static void tls_send_news(dispatcher_worker *worker)
{
    struct tls_news *news = &worker->tls;
    char bytes[512];
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_TLS);
    bool has_some = false;

    news->is_unsent = false;
    if (news->has_certificate_news)
        news->has_certificate_news = !tls_send(worker, news->certificate, news->certificate_length);
    for (size_t i = 0; i < DISPATCHER_TLS_FAILURES; i++)
        if (news->n_failed[i] > 0) {
            message_text_add_number(&text, failures[i], news->n_failed[i]);
            has_some = true;
        }
    bool is_sent = !has_some || tls_send(worker, bytes, text.length);
    if (is_sent)
        memset(news->n_failed, 0, sizeof(news->n_failed));
    news->is_unsent = news->has_certificate_news || !is_sent;
}

uint64_t tls_attend(dispatcher_worker *worker, uint64_t now)
{
    pthread_mutex_lock(&worker->tls.lock);
    if (worker->tls.is_unsent)
        tls_send_news(worker);
    uint64_t next = worker->tls.is_unsent ? now + RETRY_USEC : USEC_INFINITY;
    pthread_mutex_unlock(&worker->tls.lock);
    return next;
}

void tls_tell_certificate(dispatcher_worker *worker)
{
    pthread_mutex_lock(&worker->tls.lock);
    worker->tls.has_certificate_news = worker->tls.certificate_length > 0;
    tls_send_news(worker);
    pthread_mutex_unlock(&worker->tls.lock);
}

void tls_tell_connection(dispatcher_connection *connection)
{
    dispatcher_worker *worker = connection->worker;

    pthread_mutex_lock(&worker->tls.lock);
    if (connection->tls)
        (void)tls_send(worker, connection->tls, connection->tls_length);
    pthread_mutex_unlock(&worker->tls.lock);
}

/* A place holds nothing of it, since most connections have none. */
static void tls_keep(dispatcher_connection *connection, const char *bytes, size_t length)
{
    char *copy = length > 0 ? malloc(length) : NULL;

    if (copy)
        memcpy(copy, bytes, length);
    pthread_mutex_lock(&connection->worker->tls.lock);
    free(connection->tls);
    connection->tls = copy;
    connection->tls_length = (uint32_t)length;
    pthread_mutex_unlock(&connection->worker->tls.lock);
}

void dispatcher_connection_tls_began(dispatcher_connection *connection, const char *protocol,
                                     const char *cipher, const char *subject, const char *sha256)
{
    char id[CONNECTION_ID_BYTES], subject_text[256], bytes[TLS_TEXT_MAX];
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_TLS);

    snprintf(subject_text, sizeof(subject_text), "%s", subject ? subject : "");
    message_text_add(&text, "CONNECTION", connection_id_format(connection->id, id));
    message_text_add(&text, "PROTOCOL", protocol);
    message_text_add(&text, "CIPHER", cipher);
    if (sha256 && *sha256) {
        message_text_add(&text, "SHA256", sha256);
        message_text_add(&text, "SUBJECT", subject_text);
    }
    tls_keep(connection, bytes, text.is_too_long ? 0 : text.length);
    tls_tell_connection(connection);
}

static void tls_wake(dispatcher_worker *worker, bool is_unsent)
{
    if (is_unsent && worker->wake_fd >= 0)
        worker_wake(worker);
}

void dispatcher_connection_tls_failed(dispatcher_connection *connection,
                                      enum dispatcher_tls_failure failure)
{
    dispatcher_worker *worker = connection->worker;

    if ((unsigned)failure >= DISPATCHER_TLS_FAILURES)
        return;
    pthread_mutex_lock(&worker->tls.lock);
    worker->tls.n_failed[failure]++;
    tls_send_news(worker);
    bool is_unsent = worker->tls.is_unsent;
    pthread_mutex_unlock(&worker->tls.lock);
    tls_wake(worker, is_unsent);
}

void dispatcher_worker_certificate(dispatcher_worker *worker, int64_t expires_at,
                                   const char *sha256, const char *fault)
{
    struct tls_news *news = &worker->tls;
    char words[256];

    snprintf(words, sizeof(words), "%s", fault ? fault : "");
    pthread_mutex_lock(&news->lock);
    struct message_text text =
        message_text_start(news->certificate, sizeof(news->certificate), MESSAGE_CERTIFICATE);
    message_text_add_number(&text, "EXPIRES", expires_at > 0 ? (uint64_t)expires_at : 0);
    if (sha256 && *sha256)
        message_text_add(&text, "SHA256", sha256);
    if (*words)
        message_text_add(&text, "TEXT", words);
    news->certificate_length = (uint32_t)text.length;
    news->has_certificate_news = true;
    tls_send_news(worker);
    bool is_unsent = news->is_unsent;
    pthread_mutex_unlock(&news->lock);
    tls_wake(worker, is_unsent);
}
