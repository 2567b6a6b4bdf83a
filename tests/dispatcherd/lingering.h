/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A client that does not read, and the socket of a server that would wait for it. */
#pragma once

#include <stdint.h>

/* Longer than any of these tests takes. */
#define LINGER_SEC 600

struct lingering {
    int client;
    int server; /* its send buffer is full; a close waits for LINGER_SEC */
};

struct lingering lingering_make(void);

/* Reads all there is. Returns when every copy of the server's socket is closed. */
void lingering_read_to_end(struct lingering *lingering);

/* Seconds since `since`, CLOCK_MONOTONIC in microseconds. */
unsigned seconds_since(uint64_t since);
