/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the program has reported of TLS: sent to a dispatcherd that knows the messages, and as far
 * as it still holds, to its successor. */
#pragma once

#include "dispatcher/worker.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    TLS_TEXT_MAX = 512,         /* bytes of a message about one connection */
    CERTIFICATE_TEXT_MAX = 512, /* likewise, about the certificate */
};

struct tls_news {
    pthread_mutex_t lock;
    bool is_known;                              /* dispatcherd knows the messages */
    bool is_unsent;                             /* the channel was full for some of what follows */
    uint32_t n_failed[DISPATCHER_TLS_FAILURES]; /* handshakes, not reported yet */
    bool has_certificate_news;
    char certificate[CERTIFICATE_TEXT_MAX]; /* the message that reports it */
    uint32_t certificate_length;            /* 0: there is none */
};

void tls_init(struct tls_news *news);

/* A dispatcherd, the first or a new one, that knows the messages or does not. */
void tls_meet(struct tls_news *news, bool is_known);

/* For a new one, when it knows the connections: reports what its predecessor knew of their TLS, and
 * of the certificate. */
void tls_tell_connection(dispatcher_connection *connection);
void tls_tell_certificate(dispatcher_worker *worker);

/* Tries again what could not be sent. Returns when to call it next (CLOCK_MONOTONIC, microseconds);
 * UINT64_MAX: nothing is left to do. */
uint64_t tls_attend(dispatcher_worker *worker, uint64_t now);
