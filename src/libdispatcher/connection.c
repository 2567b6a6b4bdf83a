/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "libdispatcher/internal.h"
#include "protocol/connection_id.h"

#include <string.h>

dispatcher_worker *dispatcher_connection_worker(const dispatcher_connection *connection)
{
    return connection->worker;
}

void dispatcher_connection_set_outcome(dispatcher_connection *connection,
                                       enum dispatcher_outcome outcome)
{
    connection->outcome = outcome;
}

int dispatcher_connection_fd(const dispatcher_connection *connection)
{
    return connection->fd;
}

const char *dispatcher_connection_id(const dispatcher_connection *connection)
{
    char *text = (char *)connection->id_text;

    /* Made when it is first needed, like the addresses below. */
    if (!text[0])
        connection_id_format(connection->id, text);
    return text;
}

static void copy_address(const struct address *from, struct sockaddr *address, socklen_t *length)
{
    struct sockaddr_storage storage;
    socklen_t full = address_to_sockaddr(from, &storage);

    if (full == 0 && from->family == AF_UNIX) {
        storage.ss_family = AF_UNIX;
        full = sizeof(sa_family_t);
    }
    memcpy(address, &storage, full < *length ? full : *length);
    *length = full;
}

void dispatcher_connection_peer(const dispatcher_connection *connection, struct sockaddr *address,
                                socklen_t *length)
{
    copy_address(&connection->peer, address, length);
}

void dispatcher_connection_local(const dispatcher_connection *connection, struct sockaddr *address,
                                 socklen_t *length)
{
    copy_address(&connection->local, address, length);
}

/* The text is made when it is first needed. The connection belongs to the calling thread, so no
 * lock is needed. */
static const char *host_text(const struct address *address, const char *cached)
{
    char *text = (char *)cached;

    return text[0] ? text : address_format_host(address, text);
}

const char *dispatcher_connection_peer_host(const dispatcher_connection *connection)
{
    return host_text(&connection->peer, connection->peer_host);
}

const char *dispatcher_connection_local_host(const dispatcher_connection *connection)
{
    return host_text(&connection->local, connection->local_host);
}

uint64_t dispatcher_connection_accepted_at(const dispatcher_connection *connection)
{
    return connection->accepted_at_usec;
}

uint16_t dispatcher_connection_peer_port(const dispatcher_connection *connection)
{
    return connection->peer.port;
}

uint16_t dispatcher_connection_local_port(const dispatcher_connection *connection)
{
    return connection->local.port;
}

bool dispatcher_connection_is_tls(const dispatcher_connection *connection)
{
    return connection->is_tls;
}

const char *dispatcher_connection_access_tag(const dispatcher_connection *connection)
{
    return connection->access_texts ? connection->access_texts : "";
}

const char *dispatcher_connection_access_note(const dispatcher_connection *connection)
{
    const char *texts = connection->access_texts;

    return texts ? texts + strlen(texts) + 1 : "";
}
