/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* OpenSSL's way to a client's socket. Its own (BIO_s_socket(3)) waits if the socket is in blocking
 * mode, as those of workers are; this one never does. */
#pragma once

#include <openssl/bio.h>
#include <stdbool.h>

struct tls_socket {
    int fd;
    bool has_read;      /* anything */
    bool is_plain_text; /* what came first begins no record of a handshake (RFC 8446, 5.1) */
    bool is_empty;      /* a read has found nothing; reset by whoever wants to know */
    bool is_ended;      /* the client's end of file was read, or the connection is broken */
};

/* Returns NULL when out of memory. The caller frees it. */
BIO_METHOD *tls_socket_bio_method(void);

/* A BIO for the socket, which must outlive it. Returns NULL when out of memory. */
BIO *tls_socket_bio_new(const BIO_METHOD *method, struct tls_socket *socket);
