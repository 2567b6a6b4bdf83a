/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/host_name.h"
#include "base/macro.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name, *clean, *shortened;
} cases[] = {
    {"freddy", "freddy", "freddy"},
    {"freddy.example.com", "freddy.example.com", "freddy"},
    {"", "localhost", "localhost"},
    {".example.com", ".example.com", "localhost"},
    {"a_b-C9", "a_b-C9", "a_b-C9"},
    {"../../etc", "..-..-etc", "localhost"},
    {"two\r\nlines", "two--lines", "two--lines"},
    {"m\xc3\xbcller", "m--ller", "m--ller"},
};

START_TEST(test_a_name_is_fit_for_a_greeting_and_for_a_file)
{
    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        char name[HOST_NAME_BYTES];

        strcpy(name, cases[i].name);
        ck_assert_str_eq(host_name_clean(name), cases[i].clean);
        ck_assert_str_eq(host_name_shorten(name), cases[i].shortened);
    }
}
END_TEST

START_TEST(test_reads_names_of_every_length_that_the_kernel_allows)
{
    char given[HOST_NAME_MAX], name[HOST_NAME_BYTES];

    memset(given, 'm', sizeof(given));
    if (unshare(CLONE_NEWUTS) < 0)
        return; /* only root may set a host's name */
    for (size_t length = 0; length <= HOST_NAME_MAX; length++) {
        size_t expected = length == 0 ? strlen("localhost") : length;

        ck_assert_int_eq(sethostname(given, length), 0);
        ck_assert_uint_eq(strlen(host_name_read(name)), expected);
        ck_assert_uint_eq(strlen(host_name_read_short(name)), expected);
    }
}
END_TEST

SUITE("host_name", NULL, NULL, test_a_name_is_fit_for_a_greeting_and_for_a_file,
      test_reads_names_of_every_length_that_the_kernel_allows)
