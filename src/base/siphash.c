/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/siphash.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

int siphash_key_random(struct siphash_key *ret)
{
    struct siphash_key key;
    ssize_t n;

    do
        n = getrandom(&key, sizeof(key), 0);
    while (n < 0 && errno == EINTR);
    if (n != sizeof(key))
        return n < 0 ? -errno : -EIO;
    *ret = key;
    return 0;
}

static uint64_t rotate(uint64_t word, unsigned n)
{
    return word << n | word >> (64 - n);
}

static void rounds(uint64_t v[4], unsigned n)
{
    while (n-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32) + v[3];
        v[2] += v[1];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

/* Reads up to eight bytes, the lowest first. */
static uint64_t little_endian(const uint8_t *bytes, size_t size)
{
    uint64_t word = 0;

    for (size_t i = 0; i < size; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

static void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    rounds(v, 2);
    v[0] ^= word;
}

uint64_t siphash(const struct siphash_key *key, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t v[4] = {
        key->words[0] ^ UINT64_C(0x736f6d6570736575),
        key->words[1] ^ UINT64_C(0x646f72616e646f6d),
        key->words[0] ^ UINT64_C(0x6c7967656e657261),
        key->words[1] ^ UINT64_C(0x7465646279746573),
    };
    size_t rest = size % 8;

    for (size_t i = 0; i < size - rest; i += 8)
        absorb(v, little_endian(bytes + i, 8));
    absorb(v, (uint64_t)size << 56 | little_endian(bytes + size - rest, rest));
    v[2] ^= 0xff;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
