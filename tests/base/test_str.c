/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/str.h"

START_TEST(test_compares_without_case)
{
    ck_assert(str_equal_nocase("Max_Conns", "MAX_CONNS"));
    ck_assert(str_equal_nocase("", ""));
    ck_assert(!str_equal_nocase("a", "ab"));
    ck_assert(!str_equal_nocase("ab", "a"));
    ck_assert(!str_equal_nocase("@", "`"));
    ck_assert(str_starts_nocase("IMTA_BIN:x", "imta_bin:"));
    ck_assert(!str_starts_nocase("IMTA", "imta_bin:"));
}
END_TEST

START_TEST(test_one_is_no_plural)
{
    ck_assert_str_eq(str_plural(0, "session was", "sessions were"), "sessions were");
    ck_assert_str_eq(str_plural(1, "session was", "sessions were"), "session was");
    ck_assert_str_eq(str_plural(2, "session was", "sessions were"), "sessions were");
    ck_assert_str_eq(str_plural((UINT64_C(1) << 32) + 1, "is", "are"), "are");
}
END_TEST

START_TEST(test_only_printable_ascii_is_printable)
{
    char text[] = " ~\x1b[1m\t\x7f\xc3\xa4\n";

    ck_assert_str_eq(str_make_printable(text), " ~?[1m?????");
    for (int c = -128; c < 128; c++)
        ck_assert_int_eq(str_printable((char)c), c >= 32 && c < 127 ? c : '?');
}
END_TEST

START_TEST(test_list_owns_what_it_holds)
{
    struct str_list list = {0}, copy = {0};
    char text[] = "one";

    ck_assert_int_eq(str_list_append(&list, text), 0);
    ck_assert_int_eq(str_list_append(&list, "two"), 0);
    text[0] = 'X';
    ck_assert_str_eq(list.items[0], "one");
    ck_assert_int_eq(str_list_copy(&list, &copy), 0);
    ck_assert(str_list_equal(&list, &copy));
    str_list_clear(&list);
    ck_assert_uint_eq(list.n_items, 0);
    ck_assert(!str_list_equal(&list, &copy));
    ck_assert_str_eq(copy.items[1], "two");
    str_list_clear(&copy);
}
END_TEST

START_TEST(test_buffer_cuts_and_says_so)
{
    char text[8];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));

    str_buffer_add(&buffer, "%d", 1234);
    ck_assert_str_eq(text, "1234");
    ck_assert(!buffer.is_cut);
    str_buffer_add(&buffer, "567");
    ck_assert_str_eq(text, "1234567");
    ck_assert(!buffer.is_cut);
    str_buffer_add(&buffer, "8");
    ck_assert_str_eq(text, "1234567");
    ck_assert(buffer.is_cut);
}
END_TEST

SUITE("str", NULL, NULL, test_compares_without_case, test_one_is_no_plural,
      test_only_printable_ascii_is_printable, test_list_owns_what_it_holds,
      test_buffer_cuts_and_says_so)
