/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Bytes of a name server: whatever is read of them is within its bounds. The first byte chooses
 * the type. */
#include "dns/dns_answer.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_fact fact;

    if (size == 0)
        return 0;
    enum dns_type type = data[0] % 2 ? DNS_TYPE_A : DNS_TYPE_TXT;
    if (dns_answer_read(data + 1, size - 1, type, &fact) < 0)
        return 0;
    assert(fact.ttl_sec >= DNS_TTL_MIN_SEC && fact.ttl_sec <= DNS_TTL_MAX_SEC);
    assert(type == DNS_TYPE_A ? fact.text[0] == '\0' : fact.meaning == DNS_ANSWER_CLEAN);
    for (const char *p = fact.text; *p != '\0'; p++)
        assert(*p >= ' ' && *p <= '~');
    assert(strlen(fact.text) <= DNS_TEXT_MAX);
    return 0;
}
