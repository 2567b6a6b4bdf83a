/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tls/failure.h"

const char *tls_failure_to_string(enum tls_failure failure)
{
    static const char *const texts[N_TLS_FAILURES] = {
        [TLS_NO_FAILURE] = "none",
        [TLS_FAILED_TIMEOUT] = "timeout",
        [TLS_FAILED_SHARED_CIPHER] = "no_shared_cipher",
        [TLS_FAILED_VERSION] = "version",
        [TLS_FAILED_BAD_CERTIFICATE] = "bad_certificate",
        [TLS_FAILED_PLAIN_TEXT] = "plain_text",
        [TLS_FAILED_GONE] = "gone",
        [TLS_FAILED_NO_CERTIFICATE] = "no_certificate",
        [TLS_FAILED_ERROR] = "error",
    };

    return texts[failure];
}
