/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Hand-offs that were begun but not sent yet: always the last connections that a worker holds. */
#pragma once

#include <stdint.h>
#include <sys/queue.h>

struct worker;

TAILQ_HEAD(unsent_queue, worker);

/* Of a service; written by this module alone. */
struct unsent {
    struct unsent_queue workers; /* that have any */
    unsigned n;
    uint64_t since; /* when the first of them was begun; CLOCK_MONOTONIC, in microseconds */
};

void unsent_init(struct unsent *unsent);

/* The connection that the worker has just got is one of them. */
void unsent_begin(struct worker *worker, uint64_t now);

/* The first `n` of the worker's are sent, or the last `n` are going to be taken back. */
void unsent_end(struct worker *worker, unsigned n);
