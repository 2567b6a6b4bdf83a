/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* SipHash-2-4 (Aumasson and Bernstein, 2012): a hash with a secret key. Without the key nobody can
 * choose values that collide, so that a table of what strangers send stays fast. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t words[2];
};

/* A key from the kernel's random numbers. Returns 0 or a negative errno. */
int siphash_key_random(struct siphash_key *ret);

/* The result is the same on every machine, whatever its byte order. */
uint64_t siphash(const struct siphash_key *key, const void *data, size_t size);
