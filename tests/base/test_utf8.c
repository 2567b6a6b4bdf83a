/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

static void assert_visible(const char *text, const char *expected)
{
    char copy[64];

    snprintf(copy, sizeof(copy), "%s", text);
    utf8_make_visible(copy, strlen(copy));
    ck_assert_str_eq(copy, expected);
}

START_TEST(test_what_turns_or_hides_text_is_replaced)
{
    assert_visible("a\xe2\x80\xae"
                   "b",
                   "a???b");                                /* U+202E */
    assert_visible("\xe2\x81\xa6x\xe2\x81\xa9", "???x???"); /* isolates */
    assert_visible("a\xe2\x80\x8b"
                   "b",
                   "a???b"); /* no width */
    assert_visible("a\xd8\x9c"
                   "b",
                   "a??b"); /* Arabic letter mark */
    assert_visible("a\xc2\xad"
                   "b",
                   "a??b");                  /* soft hyphen */
    assert_visible("a\xef\xbb\xbf", "a???"); /* byte order mark */
    assert_visible("a\xe2\x80\xa8"
                   "b",
                   "a???b");                              /* line separator */
    assert_visible("a\xf3\xa0\x81\x81", "a????");         /* a tag */
    assert_visible("a\x1b[31m\x7f\xc2\x9b", "a?[31m???"); /* what terminals obey */
}
END_TEST

START_TEST(test_what_is_seen_stays)
{
    assert_visible("", "");
    assert_visible("one\ttwo\nthree", "one\ttwo\nthree");
    assert_visible("Gr\xc3\xbc\xc3\x9f\xe2\x82\xac \xf0\x9f\x98\x80",
                   "Gr\xc3\xbc\xc3\x9f\xe2\x82\xac \xf0\x9f\x98\x80");
    assert_visible("\xd8\xa7\xd8\xad \xd7\x90",
                   "\xd8\xa7\xd8\xad \xd7\x90"); /* written from the right */
}
END_TEST

/* Terminals of eight bits obey 0x9b. */
START_TEST(test_bytes_of_no_character_are_replaced)
{
    static const char *const texts[] = {
        "\x9b", "\xc3", "\xc0\xaf", "\xe2\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"};

    for (size_t i = 0; i < ELEMENTSOF(texts); i++)
        assert_visible(texts[i], &"????"[4 - strlen(texts[i])]);
    assert_visible("\xe2\x80x", "??x");
}
END_TEST

START_TEST(test_reads_no_byte_too_many)
{
    uint32_t character;

    ck_assert_uint_eq(utf8_decode("\xe2\x82\xac", 2, &character), 0);
    ck_assert_uint_eq(utf8_decode("", 0, &character), 0);
    ck_assert_uint_eq(utf8_decode("\xe2\x82\xac", 3, &character), 3);
    ck_assert_uint_eq(character, 0x20ac);
}
END_TEST

SUITE("UTF-8", NULL, NULL, test_what_turns_or_hides_text_is_replaced, test_what_is_seen_stays,
      test_bytes_of_no_character_are_replaced, test_reads_no_byte_too_many)
