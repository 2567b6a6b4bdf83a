/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reads what a name server sent: the verdict of a list, or its text, and how long either holds.
 * The bytes are hostile. Pure. */
#pragma once

#include "access/dns_list.h"

#include <stddef.h>
#include <stdint.h>

enum dns_type {
    DNS_TYPE_A = 1,
    DNS_TYPE_TXT = 16,
};

/* Bounds of how long an answer is kept (seconds), and how long "no" is if the zone does not say
 * so with an SOA record. Answers that are no verdict are kept no longer than that either. */
#define DNS_TTL_MIN_SEC     1
#define DNS_TTL_MAX_SEC     3600
#define DNS_TTL_DEFAULT_SEC 60

/* What is known about a name. */
struct dns_fact {
    enum dns_answer meaning;     /* of A; DNS_ANSWER_CLEAN for TXT */
    struct in_addr address;      /* that means so; 0.0.0.0 if there is none */
    char text[DNS_TEXT_MAX + 1]; /* of TXT, clean; "" if there is none, and for A */
    uint32_t ttl_sec;            /* from DNS_TTL_MIN_SEC to DNS_TTL_MAX_SEC */
};

/* Reads a whole message, which answers a question for `type`. "No such name" is an answer. Returns
 * 0 with *ret; -EBADMSG for what is no DNS message; -EREMOTEIO if the server failed or
 * refused. */
int dns_answer_read(const uint8_t *bytes, size_t size, enum dns_type type, struct dns_fact *ret);
