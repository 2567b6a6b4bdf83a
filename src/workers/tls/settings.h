/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The PARAMETERs of TLS, the same for every delivered worker that speaks it. */
#pragma once

#include "base/str.h"
#include "workers/common/parameters.h"

#include <stdbool.h>

/* Credentials of the unit (systemd.exec(5), LoadCredential=) that are used if no TLS_CERT is
 * given. */
#define TLS_CREDENTIAL_CERT "tls.cert"
#define TLS_CREDENTIAL_KEY  "tls.key"

enum tls_client {
    TLS_CLIENT_OFF,     /* no certificate is asked for */
    TLS_CLIENT_ASK,     /* one that cannot be verified is taken, too, and only recorded */
    TLS_CLIENT_REQUIRE, /* no session without one that TLS_CA verifies */
};

enum tls_min {
    TLS_MIN_1_2,
    TLS_MIN_1_3,
};

/* Owns its strings. All zero is the default. */
struct tls_settings {
    struct str_list certificates; /* files, or names of credentials if there is no "/" in them */
    struct str_list keys;         /* likewise; none: each is in the file of its certificate */
    char *authorities;            /* likewise; NULL: none */
    unsigned client;              /* enum tls_client */
    unsigned is_required;         /* whatever the worker refuses to clients without TLS */
    unsigned is_passed;           /* it is for the program behind the worker: no TLS here */
    unsigned min;                 /* enum tls_min */
};

extern const char *const tls_client_words[], *const tls_min_words[], *const tls_yes_no_words[],
                                                                         *const tls_pass_words[];

/* The rows of TLS in a worker's table, for a `struct tls_settings` that is the member `at` of its
 * settings of type `type`. */
/* clang-format off */
#define TLS_PARAMETER_ROWS(type, at)                                                               \
    {.name = "TLS_CERT", .read = parameter_read_list, .offset = offsetof(type, at.certificates),   \
     .hint = "must be the path of a certificate, or the name of a credential"},                    \
    {.name = "TLS_KEY", .read = parameter_read_list, .offset = offsetof(type, at.keys),            \
     .hint = "must be the path of a private key, or the name of a credential"},                    \
    {.name = "TLS_CA", .read = parameter_read_text, .offset = offsetof(type, at.authorities),      \
     .hint = "must be the path of a file with certificates of authorities, or the name of a "      \
             "credential"},                                                                        \
    {.name = "TLS_CLIENT", .read = parameter_read_choice, .offset = offsetof(type, at.client),     \
     .choices = tls_client_words},                                                                 \
    {.name = "TLS_MIN", .read = parameter_read_choice, .offset = offsetof(type, at.min),           \
     .choices = tls_min_words}

/* A further row for workers that pass bytes on. */
#define TLS_PASS_ROW(type, at)                                                                     \
    {.name = "TLS", .read = parameter_read_choice, .offset = offsetof(type, at.is_passed),         \
     .choices = tls_pass_words}
/* clang-format on */

/* For the `complete` of a worker's table: uses the unit's credentials if no certificate is named,
 * and reports what does not fit together. For dispatcherd --check it reads the certificates, too,
 * and reports what is wrong with each at its line. Returns 0, -ENOMEM, or -EINVAL. */
int tls_settings_complete(struct tls_settings *settings, const struct parameter_report *report);

/* True if there is a certificate to serve with. */
static inline bool tls_settings_has_certificate(const struct tls_settings *settings)
{
    return settings->certificates.n_items > 0;
}

/* True if TLS ends in this worker, or will when its unit has the credential that --check knows of:
 * behind it nobody sees the client's connection. */
bool tls_settings_ends_here(const struct tls_settings *settings,
                            const struct parameter_facts *facts);

void tls_settings_clear(struct tls_settings *settings);
