/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Any bytes at the start of a connection: the answer must not depend on the pieces they come in,
 * and what the header names must be an address. */
#include "access/proxy_header.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_known(const struct address *address, bool has_addresses)
{
    char text[ADDRESS_TEXT_MAX];

    address_format(address, text);
    if (!has_addresses)
        return address->family == AF_UNSPEC;
    return address->family == AF_INET || address->family == AF_INET6 || address->family == AF_UNIX;
}

/* A copy of the exact size, so that reading beyond it is seen. */
static enum proxy_header_result parse(const uint8_t *data, size_t size, struct proxy_header *ret)
{
    const char *fault = NULL;
    uint8_t *copy = malloc(size > 0 ? size : 1);

    if (!copy)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    enum proxy_header_result result = proxy_header_parse(copy, size, ret, &fault);
    free(copy);
    if ((result == PROXY_HEADER_INVALID) != (fault != NULL))
        abort();
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header header, part;
    enum proxy_header_result whole = parse(data, size, &header);

    if (whole == PROXY_HEADER_MORE && size >= PROXY_HEADER_MAX_BYTES)
        abort();
    if (whole == PROXY_HEADER_COMPLETE &&
        (header.length > size || header.length > PROXY_HEADER_MAX_BYTES ||
         !is_known(&header.peer, header.has_addresses) ||
         !is_known(&header.local, header.has_addresses)))
        abort();
    size_t n_last = size < 300 ? size : 300;
    for (size_t n = 0; n < n_last; n++) {
        enum proxy_header_result result = parse(data, n, &part);

        if (result == PROXY_HEADER_COMPLETE &&
            (whole != PROXY_HEADER_COMPLETE || part.length != header.length))
            abort();
        if (result == PROXY_HEADER_INVALID && whole != PROXY_HEADER_INVALID)
            abort();
        if (result == PROXY_HEADER_MORE && whole == PROXY_HEADER_COMPLETE && n >= header.length)
            abort();
    }
    return 0;
}
