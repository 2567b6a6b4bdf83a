/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* c-ares 1.18 to 1.34 behind one face: questions only. Whatever the release, nothing is cached
 * there and no name server is given up before a question's limit: dns_cache.h and dns_health.h
 * decide. */
#pragma once

#include "access/dns_answer.h"

#include <ares.h>

/* So long a question waits for its first answer, at the most. */
#define CARES_FIRST_WAIT_MSEC 1500

/* The time for which an open question can be sure to be answered still, with any release. */
#define CARES_LIMIT_MSEC 4500

/* From 1.32 on the first wait follows from how fast the name server was so far, and c-ares says
 * cheaply when it ends; before, it is always CARES_FIRST_WAIT_MSEC. */
#define CARES_ADAPTS_WAITS (ARES_VERSION >= 0x012000)

/* The end of a question: `bytes` is the message, or NULL if there is none. */
typedef void (*cares_callback)(void *userdata, int status, const unsigned char *bytes, size_t size);

/* `servers` as ares_set_servers_ports_csv(3) takes them. `on_socket` as in ares_init_options(3).
 * No file is read for name servers. Returns a status of c-ares; ARES_SUCCESS with *ret, which is
 * for ares_destroy(3). */
int cares_open(const char *servers, ares_sock_state_cb on_socket, void *userdata,
               ares_channel *ret);

/* Asks for the records of a full name. The callback comes once, maybe before the function
 * returns. */
void cares_ask(ares_channel channel, const char *name, enum dns_type type, cares_callback callback,
               void *userdata);
