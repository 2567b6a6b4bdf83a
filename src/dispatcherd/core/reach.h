/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whether clients can reach a service: a service without a listening socket looks healthy
 * otherwise, for its workers are. The alert "unreachable" (alerts.h) is made of this. */
#pragma once

#include "base/address.h"
#include "base/str.h"
#include "pool/policy.h"

#include <stdint.h>

struct listener;
struct service;

/* Written by this module alone; all zero in the beginning. */
struct reach {
    unsigned n_lost;     /* sockets that ceased to listen while the daemon ran */
    struct address lost; /* of the last of them */
};

/* The listener does not listen any more, as accept4(2) says with `error`: reports that. The caller
 * removes the listener. */
void reach_lost(struct service *service, const struct listener *listener, int error);

/* All that the service should listen at is bound anew. */
void reach_restored(struct service *service);

/* How many sockets have gone, 1 at the least if there is none at all; 0: all is well. */
uint64_t reach_n_missing(const struct service *service);

/* What is wrong, as a sentence without its subject; to be called while something is. */
void reach_describe(const struct service *service, struct str_buffer *text);

/* In words, whether clients are accepted; if not, why not. */
const char *reach_accepts(const struct service *service, enum accept_verdict verdict);
