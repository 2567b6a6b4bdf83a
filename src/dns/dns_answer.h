/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reads the answer of a name server: the verdict of a list, or its text, and how long it is valid.
 * The bytes are not trusted. Pure. */
#pragma once

#include "dns/dns_list.h"

#include <stddef.h>
#include <stdint.h>

enum dns_type {
    DNS_TYPE_A = 1,
    DNS_TYPE_TXT = 16,
};

/* Limits for how long an answer is kept, in seconds, and the time for negative answers without an
 * SOA record. Answers that are no verdict are not kept longer than that either. */
#define DNS_TTL_MIN_SEC     1
#define DNS_TTL_MAX_SEC     3600
#define DNS_TTL_DEFAULT_SEC 60

/* What is known about a name. */
struct dns_fact {
    enum dns_answer meaning;     /* for type A; DNS_ANSWER_CLEAN for TXT */
    struct in_addr address;      /* the address with this meaning; 0.0.0.0 if there is none */
    char text[DNS_TEXT_MAX + 1]; /* for TXT, cleaned; "" if there is none, and for A */
    uint32_t ttl_sec;            /* from DNS_TTL_MIN_SEC to DNS_TTL_MAX_SEC */
};

/* Reads a whole message, the answer to a query for `type`. "No such name" is an answer, too.
 * Returns 0 with *ret; -EBADMSG for an invalid DNS message; -EREMOTEIO if the server failed or
 * refused. */
int dns_answer_read(const uint8_t *bytes, size_t size, enum dns_type type, struct dns_fact *ret);
