/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The last bytes that came by a pipe, such as a program's standard error. It is read as soon as
 * something comes, so that the program never waits for room in it, however much it writes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Room for a reason and for what ssh(1) writes after it with LogLevel DEBUG. */
#define TAIL_MAX_BYTES 8192

struct tail {
    int fd; /* owned, non-blocking; -1: its end was reached */
    size_t length;
    char bytes[TAIL_MAX_BYTES + 1]; /* a text once tail_text() was called */
};

#define TAIL_NONE ((struct tail){.fd = -1})

/* Reads once, without a wait. Returns whether there may be more. */
bool tail_read(struct tail *tail);

/* The text; a NUL that came is a '?' there. */
char *tail_text(struct tail *tail);

void tail_close(struct tail *tail);
