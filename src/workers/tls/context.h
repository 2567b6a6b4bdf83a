/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the TLS sessions of a worker share: its certificates, what is offered, and the count of
 * handshakes.
 *
 * Versions and ciphers are those of Mozilla's intermediate profile
 * (https://wiki.mozilla.org/Security/Server_Side_TLS, version 5.7), as far as OpenSSL's own
 * configuration (config(5ssl), system_default) allows them: an administrator can narrow what is
 * offered there, for every program of the host. */
#pragma once

#include "workers/tls/facts.h"
#include "workers/tls/gate.h"
#include "workers/tls/settings.h"

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

struct tls_context {
    SSL_CTX **items; /* owned, as what they point to: n_items, one for each certificate */
    size_t n_items;
    BIO_METHOD *bio_method; /* owned; see socket_bio.h */
    struct tls_gate gate;
    int64_t expires_at;                 /* of the certificate that expires first; since 1970 */
    char fingerprint[TLS_DIGEST_BYTES]; /* of all certificates together */
    char expiry[PARAMETER_TEXT_MAX];    /* "PATH: expires on ..."; "" if none does so soon */
};

/* Reads the certificates for a worker of so many places. Returns 0, with *ret NULL if the settings
 * name no certificate, or a negative errno with the fault in words. */
int tls_context_new(const struct tls_settings *settings, unsigned n_places,
                    struct tls_context **ret, char fault[PARAMETER_TEXT_MAX]);

/* Frees it; NULL is nothing. There is no session of it any more. */
void tls_context_free(struct tls_context *context);

/* The SHA-256 of a certificate in hexadecimal digits, as "openssl x509 -fingerprint -sha256" has it
 * without the colons. Returns `text`. */
const char *tls_digest(const X509 *certificate, char text[TLS_DIGEST_BYTES]);
