/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a worker learns at its start (dispatcher-worker(7)). */
#pragma once

#include "base/str.h"
#include "protocol/message.h"

struct welcome {
    char *service;   /* owned */
    char *host_name; /* owned */
    struct str_list parameters;
    unsigned slot;
    unsigned max_connections;
    unsigned stacksize_bytes; /* 0: the system's default */
    uint32_t debug;
    uint32_t n_ring_entries;  /* of the ring whose descriptor comes first */
    uint32_t knows_alert;     /* 1: dispatcherd takes MESSAGE_ALERT */
    unsigned drain_limit_sec; /* for a drain that nobody ordered: end of channel, SIGTERM */
};

/* Reads a MESSAGE_WELCOME. Returns 0 with *ret filled (free it with welcome_clear()), -EPROTO
 * if its version is none that we know, -EBADMSG if it lacks something, or -ENOMEM. */
int welcome_read(const struct message *message, struct welcome *ret);

void welcome_clear(struct welcome *welcome);
