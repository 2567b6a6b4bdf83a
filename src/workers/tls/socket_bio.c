/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tls/socket_bio.h"

#include "base/macro.h"

#include <errno.h>
#include <sys/socket.h>

#define RECORD_HANDSHAKE 22

static int socket_bio_write(BIO *bio, const char *bytes, int n)
{
    struct tls_socket *socket = BIO_get_data(bio);
    ssize_t r;

    BIO_clear_retry_flags(bio);
    do
        r = send(socket->fd, bytes, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (r < 0 && errno == EINTR);
    if (r < 0 && errno == EAGAIN)
        BIO_set_retry_write(bio);
    else if (r < 0)
        socket->is_ended = true;
    return (int)r;
}

static int socket_bio_read(BIO *bio, char *buffer, int size)
{
    struct tls_socket *socket = BIO_get_data(bio);
    ssize_t r;

    BIO_clear_retry_flags(bio);
    do
        r = recv(socket->fd, buffer, (size_t)size, MSG_DONTWAIT);
    while (r < 0 && errno == EINTR);
    if (r > 0 && !socket->has_read)
        socket->is_plain_text = buffer[0] != RECORD_HANDSHAKE;
    socket->has_read |= r > 0;
    socket->is_empty |= r < 0 && errno == EAGAIN;
    if (r < 0 && errno == EAGAIN)
        BIO_set_retry_read(bio);
    else if (r <= 0)
        socket->is_ended = true;
    return (int)r;
}

static long socket_bio_ctrl(BIO *bio, int command, _unused_ long number, _unused_ void *pointer)
{
    const struct tls_socket *socket = BIO_get_data(bio);

    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return socket->is_ended;
    default:
        return 0;
    }
}

BIO_METHOD *tls_socket_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "client");

    if (!method)
        return NULL;
    BIO_meth_set_write(method, socket_bio_write);
    BIO_meth_set_read(method, socket_bio_read);
    BIO_meth_set_ctrl(method, socket_bio_ctrl);
    return method;
}

BIO *tls_socket_bio_new(const BIO_METHOD *method, struct tls_socket *socket)
{
    BIO *bio = BIO_new(method);

    if (!bio)
        return NULL;
    BIO_set_data(bio, socket);
    BIO_set_init(bio, 1);
    return bio;
}
