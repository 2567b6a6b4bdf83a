/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tls/failure_queue.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

/* SSL_AD_REASON_OFFSET plus the number of the alert that the client sent. */
static enum tls_failure failure_of_reason(int reason)
{
    switch (reason) {
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY:
        return TLS_FAILED_SHARED_CIPHER;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_INAPPROPRIATE_FALLBACK:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return TLS_FAILED_VERSION;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        return TLS_FAILED_BAD_CERTIFICATE;
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
        return TLS_FAILED_PLAIN_TEXT;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        return TLS_FAILED_GONE;
    default:
        return TLS_FAILED_ERROR;
    }
}

enum tls_failure tls_failure_of_queue(void)
{
    enum tls_failure failure = TLS_FAILED_ERROR;
    unsigned long error;

    while ((error = ERR_get_error()) != 0)
        if (failure == TLS_FAILED_ERROR && ERR_GET_LIB(error) == ERR_LIB_SSL)
            failure = failure_of_reason(ERR_GET_REASON(error));
    return failure;
}
