/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Memory that a hostile worker shares with dispatcherd: whatever stands there, and however it
 * changes between two looks, the reader stays in it, and takes no more than there is room for. */
#include "protocol/ring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next bytes; zeros behind the last. */
static void take_bytes(const uint8_t **data, size_t *size, void *to, size_t length)
{
    size_t n = length < *size ? length : *size;

    memset(to, 0, length);
    if (n == 0)
        return;
    memcpy(to, *data, n);
    *data += n;
    *size -= n;
}

static void read_pending(struct ring_reader *reader, int n)
{
    assert(n < 0 || (uint32_t)n <= reader->n_entries);
    for (; n > 0; n--)
        (void)ring_take(reader);
    ring_confirm(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t n_places;
    struct ring_reader reader = {0};

    take_bytes(&data, &size, &n_places, 1);
    take_bytes(&data, &size, &reader.head, sizeof(reader.head));
    reader.n_entries = ring_entries_for(n_places);
    /* No longer than it has to be, so that a sanitizer sees who leaves it. */
    int r = posix_memalign((void **)&reader.memory, RING_LINE, ring_size(reader.n_entries));
    assert(r == 0);
    do {
        take_bytes(&data, &size, reader.memory, ring_size(reader.n_entries));
        read_pending(&reader, ring_pending(&reader));
        ring_heard(&reader);
        ring_want(&reader, n_places);
    } while (size > 0);
    read_pending(&reader, ring_close(&reader));
    free(reader.memory);
    return 0;
}
