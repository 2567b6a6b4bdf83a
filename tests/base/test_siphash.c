/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "base/siphash.h"

#include <string.h>

/* The vectors of the reference implementation: key 00 01 … 0f, data 00 01 02 … */
START_TEST(test_hashes_as_the_reference_does)
{
    static const struct {
        size_t size;
        uint64_t hash;
    } cases[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},
        {1, UINT64_C(0x74f839c593dc67fd)},
        {8, UINT64_C(0x93f5f5799a932462)},
        {15, UINT64_C(0xa129ca6149be45e5)},
    };
    const struct siphash_key key = {
        {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)},
    };
    uint8_t data[16];

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)i;
    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        ck_assert_uint_eq(siphash(&key, data, cases[i].size), cases[i].hash);
}
END_TEST

START_TEST(test_keys_are_random)
{
    struct siphash_key a = {0}, b = {0};

    ck_assert_int_eq(siphash_key_random(&a), 0);
    ck_assert_int_eq(siphash_key_random(&b), 0);
    ck_assert_int_ne(memcmp(&a, &b, sizeof(a)), 0);
    ck_assert_uint_ne(siphash(&a, "x", 1), siphash(&b, "x", 1));
}
END_TEST

SUITE("siphash", NULL, NULL, test_hashes_as_the_reference_does, test_keys_are_random)
