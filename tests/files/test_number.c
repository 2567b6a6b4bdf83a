/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "files/number.h"

#include <errno.h>
#include <string.h>

START_TEST(test_reads_decimal_and_based_integers)
{
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        {"25", 25},
        {"+25", 25},
        {"-1", -1},
        {"007", 7},
        {"0", 0},
        {"-0", 0},
        {"10%25", 25},
        {"2%101", 5},
        {"2%1111", 15},
        {"3%102", 11},
        {"8%17", 15},
        {"8%12", 10},
        {"16%19", 25},
        {"016%19", 25},
        {"36%Z", 35},
        {"36%z", 35},
        {"36%0x19", 42813}, /* x is a digit of base 36 */
        {"16%1000000", 16777216},
        {"16%FFFFFFFF", 4294967295},
        {"16%ffffffff", 4294967295},
        {"16%-1", -1},
        {"16%+1", 1},
        {"-16%1", -1},
        {"4294967296", 4294967296},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775807", -INT64_MAX},
    };
    char reason[NUMBER_REASON_MAX];

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        int64_t value = 77;
        int r = number_parse(cases[i].text, &value, reason);

        ck_assert_msg(r == 0 && value == cases[i].value, "'%s' gave %jd (%s)", cases[i].text,
                      (intmax_t)value, r < 0 ? reason : "read");
    }
}
END_TEST

START_TEST(test_refuses_what_is_no_integer_and_says_what_would_be_right)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "missing after the ="},
        {"0x19", "write 16%19"},
        {"0X19", "write 16%19"},
        {"-0x19", "write -16%19"},
        {"16%0x19", "write 16%19"},
        {"-16%0x19", "write -16%19"},
        {"0x", "not a decimal digit"},
        {"FF", "write 16%FF"},
        {"25 ! smtp", "a comment must be on a line of its own"},
        {"25\t; smtp", "a comment must be on a line of its own"},
        {"25 # smtp", "a comment must be on a line of its own"},
        {"2 5", "must not contain a blank"},
        {" 25", "must not contain a blank"},
        {"25 ", "must not contain a blank"},
        {"16% 5", "must not contain a blank"},
        {"25s", "'s' is not a decimal digit"},
        {"25.0", "'.' is not a decimal digit"},
        {"1,000", "',' is not a decimal digit"},
        {"1_000", "'_' is not a decimal digit"},
        {"--1", "one sign"},
        {"+-1", "one sign"},
        {"-16%-1", "one sign"},
        {"+16%-1", "one sign"},
        {"16%--1", "one sign"},
        {"1-", "one sign"},
        {"-", "digits are missing after the sign"},
        {"16%-", "digits are missing after the %"},
        {"16%", "digits are missing after the %"},
        {"%5", "base is missing"},
        {"-%5", "base is missing"},
        {"%", "base is missing"},
        {"16%%5", "at most one %"},
        {"16%5%5", "at most one %"},
        {"8%8", "'8' is not a digit of base 8"},
        {"16%G", "'G' is not a digit of base 16"},
        {"2%2", "'2' is not a digit of base 2"},
        {"37%1", "must be 2 to 36"},
        {"1%0", "must be 2 to 36"},
        {"0%0", "must be 2 to 36"},
        {"99999999999999999999%1", "must be 2 to 36"},
        {"A%1", "'A' is not a digit"},
        {"16 %1", "must not contain a blank"},
        {"99999999999999999999", "too large"},
        {"9223372036854775808", "too large"},
        {"36%ZZZZZZZZZZZZZZZZZZZZ", "too large"},
    };
    char reason[NUMBER_REASON_MAX];

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        int64_t value = 77;

        ck_assert_msg(number_parse(cases[i].text, &value, reason) == -EINVAL, "'%s' was taken",
                      cases[i].text);
        ck_assert_msg(strstr(reason, cases[i].reason) != NULL, "'%s': '%s' lacks '%s'",
                      cases[i].text, reason, cases[i].reason);
        ck_assert_int_eq(value, 77);
    }
}
END_TEST

START_TEST(test_reads_the_environments_mask)
{
    static const struct {
        const char *text;
        int r;
        uint32_t mask;
    } cases[] = {
        {"FFFFFFFF", 0, UINT32_MAX},
        {"ffffffff", 0, UINT32_MAX},
        {"0xFF", 0, 255},
        {"16%1000000", 0, 16777216},
        {"-1", 0, UINT32_MAX},
        {"10", 0, 16},
        {"0", 0, 0},
        {"", -EINVAL, 0},
        {"zz", -EINVAL, 0},
        {"0x", -EINVAL, 0},
        {"100000000", -EINVAL, 0},
        {"-2", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"8%17", -EINVAL, 0},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        uint32_t mask = 77;
        int r = number_parse_environment_mask(cases[i].text, &mask);

        ck_assert_msg(r == cases[i].r, "'%s' gave %d", cases[i].text, r);
        ck_assert_uint_eq(mask, r < 0 ? 77 : cases[i].mask);
    }
}
END_TEST

SUITE("number", NULL, NULL, test_reads_decimal_and_based_integers,
      test_refuses_what_is_no_integer_and_says_what_would_be_right,
      test_reads_the_environments_mask)
