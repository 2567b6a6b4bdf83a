/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "control_client/tail.h"

#include "base/fd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Appends, and lets go of what came first. */
static void tail_append(struct tail *tail, const char *bytes, size_t size)
{
    size_t excess = tail->length + size > TAIL_MAX_BYTES ? tail->length + size - TAIL_MAX_BYTES : 0;

    memmove(tail->bytes, tail->bytes + excess, tail->length - excess);
    memcpy(tail->bytes + tail->length - excess, bytes, size);
    tail->length += size - excess;
}

bool tail_read(struct tail *tail)
{
    char bytes[TAIL_MAX_BYTES / 2];

    if (tail->fd < 0)
        return false;
    ssize_t n = read(tail->fd, bytes, sizeof(bytes));
    if (n > 0)
        tail_append(tail, bytes, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        tail->fd = fd_close(tail->fd);
    return n > 0;
}

char *tail_text(struct tail *tail)
{
    for (size_t i = 0; i < tail->length; i++)
        if (tail->bytes[i] == '\0')
            tail->bytes[i] = '?';
    tail->bytes[tail->length] = '\0';
    return tail->bytes;
}

void tail_close(struct tail *tail)
{
    tail->fd = fd_close(tail->fd);
}
