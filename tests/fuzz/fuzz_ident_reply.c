/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Bytes of an IDENT server: what is kept of them is short and printable, and a line that is whole
 * means the same whatever comes after it. */
#include "access/ident_reply.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ident_ports ports = {.client = 6193, .server = 25};
    char user[IDENT_USER_MAX + 1], again[IDENT_USER_MAX + 1];
    enum ident_reply reply = ident_reply_read(data, size, false, ports, user);
    enum ident_reply ended = ident_reply_read(data, size, true, ports, again);

    assert(ended != IDENT_REPLY_MORE);
    assert(reply == IDENT_REPLY_MORE || reply == ended);
    if (ended != IDENT_REPLY_USER)
        return 0;
    assert(again[0] != '\0' && strlen(again) <= IDENT_USER_MAX);
    for (const char *p = again; *p != '\0'; p++)
        assert(*p >= ' ' && *p <= '~');
    assert(reply == IDENT_REPLY_MORE || strcmp(user, again) == 0);
    return 0;
}
