/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tls/context.h"

#include "base/macro.h"
#include "workers/tls/certificate.h"
#include "workers/tls/credential.h"
#include "workers/tls/socket_bio.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ui.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of TLS 1.2. */
static const char *const intermediate[] = {
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    "DHE-RSA-AES128-GCM-SHA256",     "DHE-RSA-AES256-GCM-SHA384",
    "DHE-RSA-CHACHA20-POLY1305",
};

/* A session is resumed only by the process that made it, and a pool has several: tickets and caches
 * would be for nothing, and keys of tickets would outlive their sessions. */
#define OPTIONS                                                                                    \
    (SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |           \
     SSL_OP_PRIORITIZE_CHACHA | SSL_OP_NO_TICKET)

const char *tls_digest(const X509 *certificate, char text[TLS_DIGEST_BYTES])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    text[0] = '\0';
    if (X509_digest(certificate, EVP_sha256(), digest, &n) == 1)
        for (unsigned i = 0; i < n && 2 * i + 2 < TLS_DIGEST_BYTES; i++)
            snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return text;
}

static bool context_allows(SSL_CTX *ctx, const char *name)
{
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(ctx);

    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++)
        if (strcmp(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, i)), name) == 0)
            return true;
    return false;
}

/* What the configuration of OpenSSL has left of the profile's ciphers. If that is nothing, TLS 1.3
 * remains, whose suites are OpenSSL's. Returns false if there is none at all. */
static bool context_set_ciphers(SSL_CTX *ctx)
{
    char list[1024];
    struct str_buffer text = str_buffer_init(list, sizeof(list));

    for (size_t i = 0; i < ELEMENTSOF(intermediate); i++)
        if (context_allows(ctx, intermediate[i]))
            str_buffer_add(&text, "%s%s", text.length > 0 ? ":" : "", intermediate[i]);
    if (text.length == 0)
        return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1;
    return SSL_CTX_set_cipher_list(ctx, list) == 1;
}

/* RFC 7919: the group of 2048 bits, as the profile has it. */
static bool context_set_group(SSL_CTX *ctx)
{
    EVP_PKEY *group = NULL;
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
    char name[] = "ffdhe2048";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_utf8_string("group", name, sizeof(name) - 1),
                                     OSSL_PARAM_END};
    bool is_made = maker && EVP_PKEY_keygen_init(maker) == 1 &&
                   EVP_PKEY_CTX_set_params(maker, parameters) == 1 &&
                   EVP_PKEY_generate(maker, &group) == 1;

    EVP_PKEY_CTX_free(maker);
    if (is_made && SSL_CTX_set0_tmp_dh_pkey(ctx, group) == 1)
        return true;
    EVP_PKEY_free(group);
    return false;
}

static bool context_set_versions(SSL_CTX *ctx, const struct tls_settings *settings)
{
    long min = settings->min == TLS_MIN_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

    return SSL_CTX_get_min_proto_version(ctx) > min ||
           SSL_CTX_set_min_proto_version(ctx, (int)min) == 1;
}

/* Who cannot be verified is let in all the same; what was wrong stays in the session. */
static int context_take_any(_unused_ int is_verified, _unused_ X509_STORE_CTX *store)
{
    return 1;
}

static int context_set_client(SSL_CTX *ctx, const struct tls_settings *settings, char *fault)
{
    if (settings->client == TLS_CLIENT_REQUIRE)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    else if (settings->client == TLS_CLIENT_ASK)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, context_take_any);
    if (settings->client == TLS_CLIENT_OFF || !settings->authorities)
        return 0;
    char *path = tls_credential_path(settings->authorities);
    /* Nobody is there who could be asked for a passphrase. */
    UI_set_default_method(UI_null());
    STACK_OF(X509_NAME) *names = path ? SSL_load_client_CA_file(path) : NULL;
    if (names)
        SSL_CTX_set_client_CA_list(ctx, names);
    bool is_read = names && SSL_CTX_load_verify_file(ctx, path) == 1;
    free(path);
    if (is_read)
        return 0;
    snprintf(fault, PARAMETER_TEXT_MAX,
             "TLS_CA=%.200s: cannot be read, or holds no certificate in PEM form",
             settings->authorities);
    return -EINVAL;
}

static bool context_set_certificate(SSL_CTX *ctx, const struct tls_certificate *certificate)
{
    return SSL_CTX_use_cert_and_key(ctx, certificate->leaf, certificate->key, certificate->chain,
                                    1) == 1;
}

/* Chooses the first certificate that has the name which the client asks for. Unknown names get the
 * default: a client may know us by a name that the certificate lacks, and care about nothing but
 * encryption (RFC 7672, 1.3). */
static int context_choose(SSL *ssl, _unused_ int *alert, void *userdata)
{
    const struct tls_context *context = userdata;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    for (size_t i = 0; name && i < context->n_items; i++)
        if (X509_check_host(SSL_CTX_get0_certificate(context->items[i]), name, strlen(name), 0,
                            NULL) == 1) {
            if (i > 0)
                SSL_set_SSL_CTX(ssl, context->items[i]);
            return SSL_TLSEXT_ERR_OK;
        }
    return name ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static bool context_set_manners(SSL_CTX *ctx, struct tls_context *context)
{
    static const unsigned char id[] = "dispatcherd";

    SSL_CTX_set_options(ctx, OPTIONS);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(ctx, 1);
    /* Sessions that wait hold no buffers, and each call returns when the socket is empty, so that a
     * deadline holds against a client that sends records without data, too. */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_tlsext_servername_callback(ctx, context_choose);
    SSL_CTX_set_tlsext_servername_arg(ctx, context);
    return SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1) == 1;
}

static int context_add_item(struct tls_context *context, const struct tls_settings *settings,
                            const struct tls_certificate *certificate, const char *name,
                            char *fault)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    char reason[256] = "out of memory";

    if (ctx && context_set_versions(ctx, settings) && context_set_ciphers(ctx) &&
        context_set_group(ctx) && context_set_manners(ctx, context) &&
        context_set_certificate(ctx, certificate)) {
        context->items[context->n_items++] = ctx;
        return context_set_client(ctx, settings, fault);
    }
    if (ERR_peek_last_error() != 0)
        ERR_error_string_n(ERR_peek_last_error(), reason, sizeof(reason));
    ERR_clear_error();
    SSL_CTX_free(ctx);
    snprintf(fault, PARAMETER_TEXT_MAX, "%.200s: OpenSSL cannot serve with this certificate: %s",
             name, reason);
    return -EINVAL;
}

static void context_note_expiry(struct tls_context *context,
                                const struct tls_certificate *certificate, const char *name)
{
    char text[PARAMETER_TEXT_MAX];

    if (context->expires_at != 0 && context->expires_at <= certificate->expires_at)
        return;
    context->expires_at = certificate->expires_at;
    if (tls_certificate_describe_expiry(certificate, time(NULL), text))
        snprintf(context->expiry, sizeof(context->expiry), "%.200s: %.200s", name, text);
}

static int context_add(struct tls_context *context, const struct tls_settings *settings, size_t i,
                       EVP_MD_CTX *digest, char *fault)
{
    const char *name = settings->certificates.items[i];
    const char *key = settings->keys.n_items > 0 ? settings->keys.items[i] : NULL;
    char text[TLS_DIGEST_BYTES];
    struct tls_certificate certificate;
    struct tls_fault why;

    int r = tls_certificate_load(&certificate, name, key, &why);
    if (r == -EACCES)
        snprintf(fault, PARAMETER_TEXT_MAX,
                 "%.300s; give it to the unit as a credential: LoadCredential=", why.text);
    else if (r < 0)
        snprintf(fault, PARAMETER_TEXT_MAX, "%s", why.text);
    if (r < 0)
        return r;
    tls_digest(certificate.leaf, text);
    EVP_DigestUpdate(digest, text, strlen(text));
    context_note_expiry(context, &certificate, name);
    r = context_add_item(context, settings, &certificate, name, fault);
    tls_certificate_clear(&certificate);
    return r;
}

static int context_fill(struct tls_context *context, const struct tls_settings *settings,
                        char *fault)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    int r = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < settings->certificates.n_items; i++)
        r = context_add(context, settings, i, digest, fault);
    if (r == 0)
        EVP_DigestFinal_ex(digest, bytes, &n);
    for (unsigned i = 0; i < n && 2 * i + 2 < TLS_DIGEST_BYTES; i++)
        snprintf(context->fingerprint + 2 * i, 3, "%02x", bytes[i]);
    EVP_MD_CTX_free(digest);
    return r;
}

int tls_context_new(const struct tls_settings *settings, unsigned n_places,
                    struct tls_context **ret, char fault[PARAMETER_TEXT_MAX])
{
    *ret = NULL;
    if (!tls_settings_has_certificate(settings))
        return 0;
    snprintf(fault, PARAMETER_TEXT_MAX, "out of memory");
    struct tls_context *context = calloc(1, sizeof(*context));
    if (!context)
        return -ENOMEM;
    int r = tls_gate_init(&context->gate, n_places);
    if (r < 0) {
        free(context);
        return r;
    }
    context->items = calloc(settings->certificates.n_items, sizeof(SSL_CTX *));
    context->bio_method = tls_socket_bio_method();
    r = context->items && context->bio_method ? context_fill(context, settings, fault) : -ENOMEM;
    if (r < 0)
        tls_context_free(context);
    else
        *ret = context;
    return r;
}

void tls_context_free(struct tls_context *context)
{
    if (!context)
        return;
    for (size_t i = 0; i < context->n_items; i++)
        SSL_CTX_free(context->items[i]);
    free(context->items);
    BIO_meth_free(context->bio_method);
    tls_gate_clear(&context->gate);
    free(context);
}
