/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The certificate that the workers of a service have reported. The alert `certificate` is made of
 * it; messages/tls.c writes it. */
#pragma once

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct service;

/* Hexadecimal digits of a SHA-256, and a NUL. */
#define CERTIFICATE_DIGEST_BYTES 65

/* Of a service; written by messages/tls.c alone. */
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

/* As a sentence without its subject, the service. */
void certificate_describe(const struct service *service, struct str_buffer *text);
