/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Asks several hosts at once, each in a thread of its own, so that one that is away or slow keeps
 * no other waiting. */
#pragma once

#include "dispatcherctl/hosts/remote.h"
#include "dispatcherctl/query/request.h"

#include <jansson.h>
#include <stddef.h>

#define GATHER_HOSTS_MAX 64
#define GATHER_CALLS_MAX 3

/* What is read of one host at a time: about 100,000 connections, whose rows have some 600 bytes. */
#define GATHER_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct gather_call {
    const char *method;
    const char *list; /* the member that comes in parts; NULL: none does */
    const char *as;   /* another name for it among those of all calls; NULL: its own */
};

/* What one host has answered. */
struct gathered {
    const char *host; /* of the caller */
    json_t *reply;    /* owned; the parameters of all calls in one object; NULL: there is none */
    char reason[REMOTE_REASON_MAX]; /* why there is none */
};

void gathered_clear(struct gathered answers[], size_t n);

/* Asks each of n_hosts, at most GATHER_HOSTS_MAX, and waits for all. Each answer takes at most the
 * request's time limit, the way to the host included. Returns 0, or a negative errno if no thread
 * could be started. */
int gather(const struct request *request, char *const hosts[], size_t n_hosts,
           const struct gather_call calls[], size_t n_calls, struct gathered ret[]);

struct watch;

/* Asks them again and again, each `interval_usec` after its last answer, over the same connection.
 * Returns 0 or a negative errno. The arguments are the caller's, and live on until the process
 * ends, as the threads do: one may be in the middle of an answer. */
int watch_start(const struct request *request, char *const hosts[], size_t n_hosts,
                const struct gather_call calls[], size_t n_calls, uint64_t interval_usec,
                struct watch **ret);

/* Copies what each host has answered last. */
void watch_copy(struct watch *watch, struct gathered ret[]);
