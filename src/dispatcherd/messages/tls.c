/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/messages/tls.h"

#include "base/str.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/core/worker.h"
#include "protocol/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many of the last ended connections are searched: the channel is read after the ring, so that
 * the end of one may be known before its handshake. */
#define ENDED_MAX 256

/* The last second that a certificate can name (RFC 5280, 4.1.2.5): the year 9999. */
#define EXPIRES_MAX INT64_C(253402300799)

static void tls_copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
    str_make_printable(to);
}

/* Few connections speak TLS, and many are open. NULL if there is no memory. */
static struct history_tls *tls_of(struct connection *connection)
{
    if (!connection->tls)
        connection->tls = calloc(1, sizeof(*connection->tls));
    return connection->tls;
}

static struct history_tls *tls_find(struct worker *worker, uint64_t id)
{
    struct connection *connection = worker_find(worker, id);
    struct history *history = &worker->service->state->history;
    uint64_t n = history->n_connections;

    if (connection)
        return tls_of(connection);
    for (uint64_t i = 0; i < ENDED_MAX && i < n; i++) {
        struct history_connection *ended =
            &history->connections[(n - 1 - i) % HISTORY_CONNECTIONS_MAX];

        if (ended->id == id)
            return &ended->tls;
    }
    return NULL;
}

/* Workers report their sessions again to each new dispatcherd, whose predecessor has counted them.
 * (STARTTLS in a session from before is not counted.) */
static bool tls_was_counted(struct worker *worker, uint64_t id, const struct history_tls *tls)
{
    const struct connection *connection = worker_find(worker, id);

    return worker->state == WORKER_ADOPTED || (connection && connection->is_adopted) ||
           (tls && tls->protocol[0]);
}

static void tls_take_connection(struct worker *worker, const struct message *message,
                                const char *text)
{
    uint64_t id = strtoull(text, NULL, 16);
    struct history_tls *tls = tls_find(worker, id);

    if (!tls_was_counted(worker, id, tls))
        statistics_count_tls(worker->service->statistics);
    if (!tls)
        return;
    tls_copy(tls->protocol, sizeof(tls->protocol), message_find_text(message, "PROTOCOL"));
    tls_copy(tls->cipher, sizeof(tls->cipher), message_find_text(message, "CIPHER"));
    tls_copy(tls->subject, sizeof(tls->subject), message_find_text(message, "SUBJECT"));
    tls_copy(tls->sha256, sizeof(tls->sha256), message_find_text(message, "SHA256"));
}

bool tls_take(struct worker *worker, const struct message *message)
{
    const char *id = message_find_text(message, "CONNECTION");
    char name[64];
    uint32_t n;

    if (worker->state == WORKER_STARTING)
        return false;
    if (id)
        tls_take_connection(worker, message, id);
    for (int i = 0; i < N_STATISTICS_TLS_FAILURES; i++) {
        snprintf(name, sizeof(name), "FAILED_%s", statistics_tls_failure_to_string(i));
        if (message_find_number(message, name, 0, UINT32_MAX, &n) == 0)
            statistics_count_tls_failed(worker->service->statistics, i, n);
    }
    return true;
}

/* 0: it has none, or that is no time. */
static int64_t certificate_expiry(const struct message *message)
{
    const char *text = message_find_text(message, "EXPIRES");
    long long at = text ? strtoll(text, NULL, 10) : 0;

    return at < 0 ? 0 : at > EXPIRES_MAX ? EXPIRES_MAX : at;
}

enum certificate_verdict certificate_take(struct worker *worker, const struct message *message)
{
    const char *fault = message_find_text(message, "TEXT");

    if (worker->state == WORKER_STARTING)
        return CERTIFICATE_UNTIMELY;
    if (fault) {
        certificate_failed(worker->service, fault);
        return CERTIFICATE_TAKEN;
    }
    return certificate_shown(worker, message_find_text(message, "SHA256"),
                             certificate_expiry(message))
               ? CERTIFICATE_TAKEN
               : CERTIFICATE_EXPIRED;
}
