/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "files/invisible.h"

#include <string.h>

START_TEST(test_finds_what_no_editor_shows)
{
    static const struct {
        const char *text;
        size_t column;
        const char *name;
    } cases[] = {
        {"PORT=25\xc2\xa0", 8, "U+00A0"},       {"\xe2\x80\x8bPORT=25", 1, "U+200B"},
        {"a\xe2\x80\x8f", 2, "U+200E, U+200F"}, {"\xc3\xa4\xe2\x80\xae", 2, "U+202A to U+202E"},
        {"PORT\xef\xbb\xbf=25", 5, "U+FEFF"},   {"PORT\xe2\x81\xa0=25", 5, "U+2060"},
        {"PORT\xc2\xad=25", 5, "U+00AD"},       {"PORT\xe3\x80\x80=25", 5, "U+3000"},
        {"PORT\xa0=25", 5, "U+00A0"}, /* ISO 8859 */
        {"a\rb", 2, "carriage return"},         {"a\x1b[0m", 2, "control character"},
        {"a\x7f", 2, "control character"},      {"a\xc2\x85", 2, "control character"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct invisible found;

        ck_assert_msg(invisible_find(cases[i].text, strlen(cases[i].text), &found) == 1, "%zu", i);
        ck_assert_uint_eq(found.column, cases[i].column);
        ck_assert_msg(strstr(found.name, cases[i].name), "%s", found.name);
    }
}
END_TEST

START_TEST(test_leaves_text_alone)
{
    static const char *const texts[] = {
        "",           "PORT=25", "\tA=b c",  "Gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
        "gr\xfc\xdf", /* ISO 8859 */
        "\xe2\x80",   "\xc2",    "\xf0\x80", "\x80\x80",
    };

    for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
        struct invisible found;

        ck_assert_msg(invisible_find(texts[i], strlen(texts[i]), &found) == 0, "%zu", i);
    }
}
END_TEST

START_TEST(test_knows_the_mark_of_utf8)
{
    ck_assert_uint_eq(invisible_mark_length("\xef\xbb\xbfT", 4), 3);
    ck_assert_uint_eq(invisible_mark_length("\xef\xbb\xbf", 3), 3);
    ck_assert_uint_eq(invisible_mark_length("\xef\xbb", 2), 0);
    ck_assert_uint_eq(invisible_mark_length("T", 1), 0);
    ck_assert_uint_eq(invisible_mark_length("", 0), 0);
}
END_TEST

SUITE("invisible", NULL, NULL, test_finds_what_no_editor_shows, test_leaves_text_alone,
      test_knows_the_mark_of_utf8)
