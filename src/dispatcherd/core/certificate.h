/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The certificate that the workers of a service have reported. The alert `certificate` is made of
 * it, and workers that show an older one than the youngest are replaced. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct service;
struct worker;

/* Hexadecimal digits of a SHA-256, and a NUL. */
#define CERTIFICATE_DIGEST_BYTES 65

/* Of a service. */
struct certificate {
    bool is_known;         /* a worker has reported one */
    uint64_t start_number; /* of the youngest worker that has */
    int64_t expires_at;    /* seconds since 1970 */
    char sha256[CERTIFICATE_DIGEST_BYTES];
    char fault[256]; /* why a worker could not use what it found later; "": none failed */
};

/* Whether an administrator should look after it: it cannot be used, or expires within 14 days. */
bool certificate_is_bad(const struct service *service);

/* When that will be, by its expiry: CLOCK_MONOTONIC; USEC_INFINITY: it is so already, or nothing is
 * known. */
uint64_t certificate_bad_at(const struct service *service, uint64_t now);

/* A worker could not use what it found, for this reason. */
void certificate_failed(struct service *service, const char *fault);

/* A worker shows this one, which expires at that time, in seconds since 1970; 0 if it has not said,
 * which is long ago. Older workers that show another one are outdated. Returns false if it has
 * expired, and workers with a better one are there: the worker that was to replace them must not.
 */
bool certificate_shown(struct worker *worker, const char *sha256, int64_t expires_at);

/* The files may hold another certificate: one worker is started, to see, and the oldest makes room
 * for it. */
void certificate_look_again(struct service *service);
