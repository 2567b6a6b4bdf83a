/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What is known of a TLS session whose handshake is over. Plain data, without OpenSSL. */
#pragma once

#include <stdbool.h>

/* Hexadecimal digits of a SHA-256, and a NUL. */
#define TLS_DIGEST_BYTES 65

/* Strings are printable ASCII, and "" if there is nothing. */
struct tls_facts {
    char protocol[16];             /* "TLSv1.3" */
    char cipher[64];               /* "ECDHE-RSA-AES128-GCM-SHA256", OpenSSL's name */
    char suite[64];                /* "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", that of the RFCs */
    char server_name[256];         /* that the client asked for */
    char subject[256];             /* of the client's certificate, as RFC 2253 has it */
    char common_name[128];         /* likewise, its CN */
    char digest[TLS_DIGEST_BYTES]; /* likewise, its SHA-256 */
    bool is_verified;              /* likewise, by TLS_CA */
};
