/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the workers call of the part that is linked with OpenSSL. That part is a shared object of
 * its own, tls.so, which a worker loads when it has a certificate: OpenSSL costs each process half
 * a MiB that no two of them share, and some milliseconds of its start. */
#pragma once

#include "workers/tls/certificate.h"
#include "workers/tls/context.h"
#include "workers/tls/tls_session.h"

struct tls_functions {
    const char *version; /* PACKAGE_VERSION: an upgrade may replace it before the program */
    __typeof__(tls_certificate_load) *certificate_load;
    __typeof__(tls_certificate_clear) *certificate_clear;
    __typeof__(tls_certificate_describe_expiry) *certificate_describe_expiry;
    __typeof__(tls_context_new) *context_new;
    __typeof__(tls_context_free) *context_free;
    __typeof__(tls_session_begin) *session_begin;
    __typeof__(tls_session_shake_hands) *session_shake_hands;
    __typeof__(tls_session_is_late) *session_is_late;
    __typeof__(tls_session_start) *session_start;
    __typeof__(tls_session_clear) *session_clear;
    __typeof__(tls_session_receive) *session_receive;
    __typeof__(tls_session_read) *session_read;
    __typeof__(tls_session_wait) *session_wait;
    __typeof__(tls_session_send) *session_send;
    __typeof__(tls_session_write) *session_write;
    __typeof__(tls_session_has_input) *session_has_input;
    __typeof__(tls_session_end_output) *session_end_output;
    __typeof__(tls_session_close) *session_close;
};

/* The only symbol of tls.so. */
extern const struct tls_functions tls_functions;
