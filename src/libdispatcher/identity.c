/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Who uses a connection, as dispatcherd has asked the client's host (IDENT=1): told in a message of
 * its own, since nobody else waits for the answer. */
#include "libdispatcher/internal.h"

#include "base/time.h"

#include <string.h>

/* dispatcherd asks for two seconds (access/ident_client.h); if it is replaced meanwhile there is no
 * answer. */
#define ANSWER_LIMIT_USEC (2500 * USEC_PER_MSEC)

void identity_init(struct sessions *sessions)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&sessions->identified, &attributes);
    pthread_condattr_destroy(&attributes);
}

static struct session *find(struct sessions *sessions, const char *id)
{
    char text[CONNECTION_ID_BYTES];

    for (unsigned i = 0; i < sessions->n_used; i++)
        if (sessions->items[i].is_reserved &&
            strcmp(connection_id_format(sessions->items[i].connection.id, text), id) == 0)
            return &sessions->items[i];
    return NULL;
}

/* It may be over by now, or have been refused. */
void identity_take(dispatcher_worker *worker, const struct message *message)
{
    struct sessions *sessions = &worker->sessions;
    const char *id = message_find_text(message, "CONNECTION");
    const char *user = message_find_text(message, "USER");

    pthread_mutex_lock(&sessions->lock);
    struct session *session = id ? find(sessions, id) : NULL;
    if (session && session->connection.awaits_identity) {
        session->connection.identity = user ? strdup(user) : NULL;
        session->connection.awaits_identity = false;
        pthread_cond_broadcast(&sessions->identified);
    }
    pthread_mutex_unlock(&sessions->lock);
}

const char *dispatcher_connection_identity(dispatcher_connection *connection)
{
    struct sessions *sessions = &connection->worker->sessions;
    const uint64_t end = time_now_usec(CLOCK_MONOTONIC) + ANSWER_LIMIT_USEC;
    const struct timespec until = {.tv_sec = (time_t)(end / USEC_PER_SEC),
                                   .tv_nsec = (long)(end % USEC_PER_SEC * NSEC_PER_USEC)};
    bool may_wait = connection->worker->callbacks->serve != NULL;

    pthread_mutex_lock(&sessions->lock);
    while (may_wait && connection->awaits_identity)
        may_wait = pthread_cond_timedwait(&sessions->identified, &sessions->lock, &until) == 0;
    const char *identity = connection->identity ? connection->identity : "";
    pthread_mutex_unlock(&sessions->lock);
    return identity;
}
