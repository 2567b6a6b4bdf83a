/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tls/certificate.h"

#include "base/text_file.h"
#include "workers/tls/credential.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Certificates of a chain that are read; real ones have two to four. */
#define CHAIN_MAX 16

static int tls_fault_set(struct tls_fault *fault, int error, const char *format, ...)
    _printf_(3, 4);

static int tls_fault_set(struct tls_fault *fault, int error, const char *format, ...)
{
    va_list arguments;

    ERR_clear_error();
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof(fault->text), format, arguments);
    va_end(arguments);
    return error;
}

/* Opens what a setting names. */
static int certificate_open(const char *value, FILE **ret, struct tls_fault *fault)
{
    char *path = tls_credential_path(value);
    const char *kind = NULL;
    struct stat st;

    if (!path)
        return tls_fault_set(fault, -ENOKEY, "%.200s is a credential, and there are none here",
                             value);
    int r = text_file_open(path, false, ret, &st, &kind);
    if (r == -EACCES)
        tls_fault_set(fault, r, "%.200s cannot be read by this user", path);
    else if (r < 0)
        r = tls_fault_set(fault, -EINVAL, "%.200s: %s", path, kind ? kind : strerror(-r));
    free(path);
    return r;
}

/* OpenSSL would ask on the terminal, and wait. `userdata` is a bool, or NULL. */
static int certificate_no_passphrase(_unused_ char *buffer, _unused_ int size,
                                     _unused_ int is_writing, void *userdata)
{
    bool *was_asked = userdata;

    if (was_asked)
        *was_asked = true;
    return -1;
}

static void certificate_note_expiry(struct tls_certificate *certificate, const X509 *x509)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(X509_get0_notAfter(x509), &tm) != 1)
        return;
    int64_t at = timegm(&tm);
    if (certificate->expires_at == 0 || at < certificate->expires_at)
        certificate->expires_at = at;
}

static int certificate_read_chain(struct tls_certificate *certificate, FILE *stream,
                                  const char *name, struct tls_fault *fault)
{
    certificate->leaf = PEM_read_X509(stream, NULL, certificate_no_passphrase, NULL);
    certificate->chain = sk_X509_new_null();
    if (!certificate->leaf || !certificate->chain)
        return tls_fault_set(fault, -EINVAL, "%.200s holds no certificate in PEM form", name);
    certificate_note_expiry(certificate, certificate->leaf);
    for (unsigned n = 0; n < CHAIN_MAX; n++) {
        X509 *next = PEM_read_X509(stream, NULL, certificate_no_passphrase, NULL);

        if (!next)
            break;
        certificate_note_expiry(certificate, next);
        if (!sk_X509_push(certificate->chain, next)) {
            X509_free(next);
            break;
        }
    }
    /* The end of the file is an error, too, but so is a broken certificate in the middle. */
    unsigned long error = ERR_peek_last_error();
    ERR_clear_error();
    if (error != 0 && ERR_GET_REASON(error) != PEM_R_NO_START_LINE)
        return tls_fault_set(fault, -EINVAL, "%.200s: the chain holds a broken certificate", name);
    return 0;
}

static int certificate_read_key(struct tls_certificate *certificate, FILE *stream, const char *name,
                                struct tls_fault *fault)
{
    bool was_asked = false;

    fault->is_of_key = true;
    certificate->key = PEM_read_PrivateKey(stream, NULL, certificate_no_passphrase, &was_asked);
    if (was_asked)
        return tls_fault_set(fault, -EINVAL,
                             "%.200s: the private key is protected by a passphrase; remove that "
                             "with: openssl pkey",
                             name);
    if (!certificate->key)
        return tls_fault_set(fault, -EINVAL, "%.200s holds no private key in PEM form", name);
    return 0;
}

static int certificate_read(struct tls_certificate *certificate, const char *name, const char *key,
                            struct tls_fault *fault)
{
    FILE *stream;
    int r = certificate_open(name, &stream, fault);

    if (r < 0)
        return r;
    r = certificate_read_chain(certificate, stream, name, fault);
    fclose(stream);
    if (r < 0)
        return r;
    r = certificate_open(key ? key : name, &stream, fault);
    if (r < 0) {
        fault->is_of_key = true;
        return r;
    }
    r = certificate_read_key(certificate, stream, key ? key : name, fault);
    fclose(stream);
    if (r == 0 && X509_check_private_key(certificate->leaf, certificate->key) != 1)
        r = tls_fault_set(fault, -EINVAL,
                          "the private key in %.200s does not belong to the "
                          "certificate in %.200s",
                          key ? key : name, name);
    return r;
}

int tls_certificate_load(struct tls_certificate *ret, const char *certificate, const char *key,
                         struct tls_fault *fault)
{
    *ret = (struct tls_certificate){0};
    *fault = (struct tls_fault){0};
    ERR_clear_error();
    int r = certificate_read(ret, certificate, key, fault);
    if (r < 0)
        tls_certificate_clear(ret);
    return r;
}

void tls_certificate_clear(struct tls_certificate *certificate)
{
    X509_free(certificate->leaf);
    sk_X509_pop_free(certificate->chain, X509_free);
    EVP_PKEY_free(certificate->key);
    *certificate = (struct tls_certificate){0};
}

bool tls_certificate_describe_expiry(const struct tls_certificate *certificate, time_t now,
                                     char text[PARAMETER_TEXT_MAX])
{
    time_t at = (time_t)certificate->expires_at;
    char date[64] = "";
    struct tm tm;

    if (at - now > TLS_EXPIRES_SOON_SEC)
        return false;
    if (gmtime_r(&at, &tm))
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &tm);
    if (at <= now)
        snprintf(text, PARAMETER_TEXT_MAX, "has expired on %s; clients that verify it turn away",
                 date);
    else
        snprintf(text, PARAMETER_TEXT_MAX, "expires on %s, in %lld %s", date,
                 (long long)(at - now) / 86400, (at - now) / 86400 == 1 ? "day" : "days");
    return true;
}
