/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whether clients can reach a service. Without this, a service without a listening socket would
 * look healthy, as its workers are. The alert "unreachable" (alerts.h) uses it. */
#pragma once

#include "base/address.h"
#include "base/str.h"
#include "pool/policy.h"

#include <stdint.h>

struct listener;
struct service_options;

/* Written by this module alone; all zero at first. */
struct reach {
    unsigned n_lost;     /* sockets that stopped listening while the daemon ran */
    struct address lost; /* of the last of them */
};

/* The listener of the service with these options no longer listens, as accept4(2) has reported with
 * `error`: logs that. The caller removes the listener. */
void reach_lost(struct reach *reach, const struct service_options *options,
                const struct listener *listener, int error);

/* The service listens on all its addresses again. */
void reach_restored(struct reach *reach);

/* How many sockets are missing, at least 1 if there is none at all; 0: none is. `n_listeners` is
 * the number of those that the service has, here and below. */
uint64_t reach_n_missing(const struct reach *reach, size_t n_listeners);

/* Describes the problem as a sentence without its subject; only to be called if there is one. */
void reach_describe(const struct reach *reach, size_t n_listeners, struct str_buffer *text);

/* In words, whether clients are accepted, and if not, why. */
const char *reach_accepts(size_t n_listeners, enum accept_verdict verdict);
