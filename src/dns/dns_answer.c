/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dns/dns_answer.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <string.h>

/* An SOA record ends with five numbers; the last one is how long a negative answer is valid (RFC
 * 2308). */
#define SOA_NUMBERS_BYTES (5 * NS_INT32SZ)

static uint32_t clamp_ttl(uint32_t ttl_sec)
{
    /* A time with the highest bit set means zero (RFC 2181, 8). */
    if (ttl_sec < DNS_TTL_MIN_SEC || ttl_sec > INT32_MAX)
        return DNS_TTL_MIN_SEC;
    return ttl_sec < DNS_TTL_MAX_SEC ? ttl_sec : DNS_TTL_MAX_SEC;
}

/* Joins the strings of a record, each of which follows its length. Returns true if that gives any
 * text. */
static bool read_text(const ns_rr *record, char ret[DNS_TEXT_MAX + 1])
{
    const uint8_t *rest = ns_rr_rdata(*record);
    size_t n_rest = ns_rr_rdlen(*record);
    uint8_t joined[UINT16_MAX];
    size_t n_joined = 0;

    while (n_rest > 0) {
        size_t length = *rest;
        if (length > n_rest - 1)
            break;
        memcpy(joined + n_joined, rest + 1, length);
        n_joined += length;
        rest += 1 + length;
        n_rest -= 1 + length;
    }
    return dns_list_clean_text(joined, n_joined, ret) > 0;
}

/* Adds the meaning of an address to the fact. */
static void add_address(const ns_rr *record, struct dns_fact *fact)
{
    struct in_addr address;

    if (ns_rr_rdlen(*record) != sizeof(address))
        return;
    memcpy(&address, ns_rr_rdata(*record), sizeof(address));
    enum dns_answer meaning = dns_list_meaning(address);
    if (meaning <= fact->meaning)
        return;
    fact->meaning = meaning;
    fact->address = address;
}

/* Reads the answers, including those that a CNAME leads to. Returns true if there is one of the
 * type; the shortest time to live of all answers counts. */
static bool read_answers(ns_msg *message, enum dns_type type, struct dns_fact *fact)
{
    bool is_found = false;
    uint32_t ttl_sec = DNS_TTL_MAX_SEC;
    ns_rr record;

    for (int i = 0; i < ns_msg_count(*message, ns_s_an); i++) {
        if (ns_parserr(message, ns_s_an, i, &record) < 0)
            break;
        if (clamp_ttl(ns_rr_ttl(record)) < ttl_sec)
            ttl_sec = clamp_ttl(ns_rr_ttl(record));
        if (ns_rr_type(record) != (uint16_t)type || ns_rr_class(record) != ns_c_in)
            continue;
        is_found = true;
        if (type == DNS_TYPE_A)
            add_address(&record, fact);
        else if (fact->text[0] == '\0')
            (void)read_text(&record, fact->text);
    }
    fact->ttl_sec = ttl_sec;
    return is_found;
}

/* How long a negative answer is valid: the smaller of the SOA record's own time and its last
 * number. */
static uint32_t negative_ttl(ns_msg *message)
{
    ns_rr record;

    for (int i = 0; i < ns_msg_count(*message, ns_s_ns); i++) {
        if (ns_parserr(message, ns_s_ns, i, &record) < 0)
            break;
        if (ns_rr_type(record) != ns_t_soa || ns_rr_rdlen(record) < SOA_NUMBERS_BYTES)
            continue;
        const uint8_t *last = ns_rr_rdata(record) + ns_rr_rdlen(record) - NS_INT32SZ;
        uint32_t minimum = clamp_ttl((uint32_t)ns_get32(last));
        uint32_t own = clamp_ttl(ns_rr_ttl(record));
        return own < minimum ? own : minimum;
    }
    return DNS_TTL_DEFAULT_SEC;
}

int dns_answer_read(const uint8_t *bytes, size_t size, enum dns_type type, struct dns_fact *ret)
{
    struct dns_fact fact = {.meaning = DNS_ANSWER_CLEAN};
    ns_msg message;

    if (size > NS_MAXMSG || ns_initparse(bytes, (int)size, &message) < 0 ||
        !ns_msg_getflag(message, ns_f_qr))
        return -EBADMSG;
    int rcode = ns_msg_getflag(message, ns_f_rcode);
    if (rcode != ns_r_noerror && rcode != ns_r_nxdomain)
        return -EREMOTEIO;
    if (rcode == ns_r_nxdomain || !read_answers(&message, type, &fact))
        fact.ttl_sec = negative_ttl(&message);
    else if ((fact.meaning == DNS_ANSWER_NOT_A_LIST || fact.meaning == DNS_ANSWER_REFUSED_CODE) &&
             fact.ttl_sec > DNS_TTL_DEFAULT_SEC)
        fact.ttl_sec = DNS_TTL_DEFAULT_SEC;
    *ret = fact;
    return 0;
}
