/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A certificate with its chain and its private key, read from files. */
#pragma once

#include "workers/common/parameters.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Time enough to renew one by hand. */
#define TLS_EXPIRES_SOON_SEC (14 * 24 * 3600)

/* Owns all of it. */
struct tls_certificate {
    X509 *leaf;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
    int64_t expires_at; /* seconds since 1970; the first of the leaf and the chain */
};

/* What is wrong with one, in words that name the file. */
struct tls_fault {
    bool is_of_key; /* with its key, or that they do not belong together */
    char text[PARAMETER_TEXT_MAX];
};

/* Reads the certificate, followed by its chain, and the key that belongs to it, both PEM, from what
 * two settings name (settings.h); with `key` NULL both are in one file. Returns 0, whether it is
 * still valid or not; or with the fault: -EACCES if this user may not read them, -ENOKEY if one is
 * a credential and there are none here, or -EINVAL. */
int tls_certificate_load(struct tls_certificate *ret, const char *certificate, const char *key,
                         struct tls_fault *fault);

void tls_certificate_clear(struct tls_certificate *certificate);

/* Returns true, with a text such as "has expired on 2026-01-31 12:00 UTC", if it expires soon or
 * has done so. */
bool tls_certificate_describe_expiry(const struct tls_certificate *certificate, time_t now,
                                     char text[PARAMETER_TEXT_MAX]);
