/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tls/functions.h"

const struct tls_functions tls_functions = {
    .version = PACKAGE_VERSION,
    .certificate_load = tls_certificate_load,
    .certificate_clear = tls_certificate_clear,
    .certificate_describe_expiry = tls_certificate_describe_expiry,
    .context_new = tls_context_new,
    .context_free = tls_context_free,
    .session_begin = tls_session_begin,
    .session_shake_hands = tls_session_shake_hands,
    .session_is_late = tls_session_is_late,
    .session_start = tls_session_start,
    .session_clear = tls_session_clear,
    .session_receive = tls_session_receive,
    .session_read = tls_session_read,
    .session_wait = tls_session_wait,
    .session_send = tls_session_send,
    .session_write = tls_session_write,
    .session_has_input = tls_session_has_input,
    .session_end_output = tls_session_end_output,
    .session_close = tls_session_close,
};
