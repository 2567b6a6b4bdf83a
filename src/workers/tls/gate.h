/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How many handshakes of this worker are under way. Each holds its place; when more than half of
 * the places are in handshakes, these have a shorter time, so that clients that never finish do not
 * keep the places from others. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

struct tls_gate {
    pthread_mutex_t lock;
    unsigned n;     /* handshakes under way */
    unsigned limit; /* more are a crowd */
    int crowd_fd;   /* readable while there is a crowd; owned */
};

/* For a worker of so many places. Returns 0 or a negative errno. */
int tls_gate_init(struct tls_gate *gate, unsigned n_places);
void tls_gate_clear(struct tls_gate *gate);

void tls_gate_enter(struct tls_gate *gate);
void tls_gate_leave(struct tls_gate *gate);
