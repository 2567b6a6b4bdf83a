/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Certificates for tests, made anew for each, and a client that speaks TLS. */
#pragma once

#include <openssl/ssl.h>

struct tls_files {
    char folder[64];
};

void tls_files_make(struct tls_files *files);
void tls_files_remove(const struct tls_files *files);

/* The path of a file in the folder; lives until the next but seven. */
const char *tls_files_path(const struct tls_files *files, const char *name);

/* Writes NAME.cert, self-signed for the host names (ended by NULL; the first is the subject's CN),
 * and NAME.key. It expires after so many seconds, or has done so. */
void tls_files_add(const struct tls_files *files, const char *name, const char *const hosts[],
                   long expires_in_sec);

/* Writes any text. */
void tls_files_write(const struct tls_files *files, const char *name, const char *text);

/* A client on the connected socket `fd`, that verifies nothing and asks for `host` (NULL: for
 * none). The caller frees both. */
SSL *tls_client_new(int fd, const char *host);
void tls_client_free(SSL *client);

/* The CN of the certificate that the server has shown; lives until the next call. */
const char *tls_client_server(const SSL *client);
