/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Why a handshake came to nothing. */
#pragma once

enum tls_failure {
    TLS_NO_FAILURE,
    TLS_FAILED_TIMEOUT,         /* the client was too slow */
    TLS_FAILED_SHARED_CIPHER,   /* no cipher, group or signature that both know */
    TLS_FAILED_VERSION,         /* no version that both know */
    TLS_FAILED_BAD_CERTIFICATE, /* the client's, or the client did not like ours */
    TLS_FAILED_PLAIN_TEXT,      /* what the client sent was no TLS */
    TLS_FAILED_GONE,            /* the client closed the connection */
    TLS_FAILED_NO_CERTIFICATE,  /* we have none */
    TLS_FAILED_ERROR,           /* anything else */
    N_TLS_FAILURES
};

/* "timeout", "no_shared_cipher", "version", "bad_certificate", "plain_text", "gone",
 * "no_certificate", "error"; "none". */
const char *tls_failure_to_string(enum tls_failure failure);
