/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What dispatcherd tells a new worker (dispatcher-worker(7)). */
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
    uint32_t n_ring_entries;  /* of the ring, whose descriptor comes first */
    uint32_t knows_alert;     /* 1: dispatcherd knows MESSAGE_ALERT */
    uint32_t knows_outcomes;  /* 1: dispatcherd knows MESSAGE_FAILED and MESSAGE_SENT_AWAY */
    uint32_t knows_tls;       /* 1: it knows MESSAGE_TLS and MESSAGE_CERTIFICATE */
    uint32_t knows_put_back;  /* 1: likewise MESSAGE_PUT_BACK; changed by ADOPT */
    unsigned drain_limit_sec; /* for a drain without an order: at the end of the channel, and for
                                 SIGTERM */
};

/* Reads a MESSAGE_WELCOME. Returns 0 with *ret, which is freed by welcome_clear(), -EPROTO if its
 * version is unknown, -EBADMSG if it is incomplete, or -ENOMEM. */
int welcome_read(const struct message *message, struct welcome *ret);

void welcome_clear(struct welcome *welcome);
