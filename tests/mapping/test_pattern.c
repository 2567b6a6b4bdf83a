/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "reference.h"
#include "support/random.h"
#include "support/suite.h"

#include "base/macro.h"
#include "mapping/pattern.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct problem_list problems;
static struct arena arena;

static void teardown(void)
{
    problem_list_clear(&problems);
    arena_clear(&arena);
}

static int compile(const char *text, struct pattern *ret)
{
    const struct place place = {&problems, "mappings", 7};

    return pattern_compile(text, strlen(text), &arena, &place, ret);
}

/* "no", or the fields with commas between them, in brackets. */
static const char *match(const struct pattern *pattern, const char *text)
{
    static char line[4096];
    struct pattern_field fields[PATTERN_FIELDS_MAX];
    static struct pattern_input input;
    uint64_t steps = 0;
    size_t length = strlen(text), n = 0;

    pattern_input_set(&input, text, length);
    enum pattern_outcome outcome = pattern_match(pattern, &input, fields, &steps);
    /* The last step may be one of many characters. */
    ck_assert_uint_le(steps, PATTERN_STEPS_MAX + 2 * PATTERN_INPUT_MAX);
    if (outcome != PATTERN_MATCHES)
        return outcome == PATTERN_DIFFERS ? "no" : "too hard";
    line[n++] = '[';
    for (unsigned i = 0; i < pattern->n_fields && i < PATTERN_FIELDS_MAX; i++)
        n += (size_t)sprintf(line + n, "%s%.*s", i > 0 ? "," : "", fields[i].length,
                             text + fields[i].start);
    strcpy(line + n, "]");
    return line;
}

START_TEST(test_matches_as_the_manual_says)
{
    static const struct {
        const char *pattern, *text, *outcome;
    } cases[] = {
        {"", "", "[]"},
        {"", "x", "no"},
        {"x", "X", "[]"},
        {"X", "x", "[]"},
        {"x", "y", "no"},
        {"x", "xx", "no"},
        {"xx", "x", "no"},
        {"%", "x", "[x]"},
        {"%", "", "no"},
        {"a%c", "abc", "[b]"},
        {"*", "", "[]"},
        {"*", "abc", "[abc]"},
        {"$*", "*", "[]"},
        {"$*", "x", "no"},
        {"$%", "%", "[]"},
        {"$$", "$", "[]"},
        {"$ ", " ", "[]"},
        {"a$ b", "a b", "[]"},
        {"$\t", "\t", "[]"},
        {"*/*", "a/b/c", "[a/b,c]"},
        {"$_*/$_*", "a/b/c", "[a,b/c]"},
        {"$_*/*", "a/b/c", "[a,b/c]"},
        {"*/$_*", "a/b/c", "[a/b,c]"},
        {"*-$0*", "ab-ab", "[ab,ab]"},
        {"*-$0*", "ab-AB", "[ab,AB]"},
        {"*-$0*", "ab-cd", "no"},
        {"*$0*", "abab", "[ab,ab]"},
        {"$_*$0*", "abab", "[ab,ab]"},
        {"*$0*$0*", "aaaaaa", "[aa,aa,aa]"},
        {"$@*/*", "a/b/c", "[c]"},
        {"$@%*", "abc", "[bc]"},
        {"$^*/*", "a/b", "[a,b]"},
        {"$_@*/*", "a/b/c", "[b/c]"},
        {"*-$@0*", "ab-ab", "[ab]"},
        {"$A%", "x", "[x]"},
        {"$A%", "X", "[X]"},
        {"$a%", "5", "no"},
        {"$A*$D*", "abc123", "[abc,123]"},
        {"$D*", "", "[]"},
        {"$D*", "12a", "no"},
        {"$B*", "0101", "[0101]"},
        {"$B*", "0121", "no"},
        {"$O%", "7", "[7]"},
        {"$O%", "8", "no"},
        {"$H*", "09afAF", "[09afAF]"},
        {"$X*", "g", "no"},
        {"$S*", "a_$9", "[a_$9]"},
        {"$S*", "a-b", "no"},
        {"$T*x", " \tx", "[ \t]"},
        {"$_D*%*", "123", "[,1,23]"},
        {"$[c]%", "c", "[c]"},
        {"$[c]%", "C", "[C]"},
        {"$[c]%", "d", "no"},
        {"$[0-9]*", "0123", "[0123]"},
        {"$[0-9]*", "0x", "no"},
        {"$[a\\-z]%", "a", "[a]"},
        {"$[a\\-z]%", "-", "[-]"},
        {"$[a\\-z]%", "z", "[z]"},
        {"$[a\\-z]%", "b", "no"},
        {"$[\\]]%", "]", "[]]"},
        {"$[a-]%", "-", "[-]"},
        {"$[$ ]*", "  ", "[  ]"},
        {"$_[ab]*b", "abb", "[ab]"},
        {"$[]%", "x", "no"},
        {"$(192.0.2.0/24)", "192.0.2.0", "[192.0.2.0]"},
        {"$(192.0.2.0/24)", "192.0.2.255", "[192.0.2.255]"},
        {"$(192.0.2.0/24)", "192.0.3.1", "no"},
        {"$(192.0.2.7)", "192.0.2.7", "[192.0.2.7]"},
        {"$(192.0.2.7)", "192.0.2.8", "no"},
        {"$(0.0.0.0/0)", "255.255.255.255", "[255.255.255.255]"},
        {"$(192.0.2.0/24)", "192.0.2.01", "no"},
        {"$(192.0.2.0/24)", "192.0.2", "no"},
        {"$(192.0.2.0/24)", "192.0.2.256", "no"},
        {"$(192.0.2.0/24)", "192.0.2.1.", "no"},
        {"$(192.0.2.0/24)", "192.0.2.1x", "no"},
        {"TCP|*|25|$(192.0.2.0/24)|*", "TCP|a|25|192.0.2.9|7", "[a,192.0.2.9,7]"},
        {"$<192.0.2.4/2>", "192.0.2.3", "no"},
        {"$<192.0.2.4/2>", "192.0.2.4", "[192.0.2.4]"},
        {"$<192.0.2.4/2>", "192.0.2.7", "[192.0.2.7]"},
        {"$<192.0.2.4/2>", "192.0.2.8", "no"},
        {"$<192.0.2.0/8>", "192.0.2.77", "[192.0.2.77]"},
        {"$<192.0.2.7>", "192.0.2.7", "[192.0.2.7]"},
        {"$<192.0.2.7>", "192.0.2.6", "no"},
        {"${2001:db8::/32}", "2001:db8:1::9", "[2001:db8:1::9]"},
        {"${2001:db8::/32}", "2001:DB8::9", "[2001:DB8::9]"},
        {"${2001:db8::/32}", "2001:db9::9", "no"},
        {"${2001:db8::1}", "2001:db8:0:0:0:0:0:1", "[2001:db8:0:0:0:0:0:1]"},
        {"${2001:db8::1}", "192.0.2.1", "no"},
        {"(\"x\")", "(\"X\")", "[]"},
        {"*|*|*|*|*", "TCP|192.0.2.1|25|198.51.100.7|40312",
         "[TCP,192.0.2.1,25,198.51.100.7,40312]"},
        {"TCP|*|25|*|*", "TCP|192.0.2.1|25|198.51.100.7|40312", "[192.0.2.1,198.51.100.7,40312]"},
        {"%%%%%%%%%%%%", "abcdefghijkl", "[a,b,c,d,e,f,g,h,i,j]"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct pattern pattern;

        ck_assert_msg(compile(cases[i].pattern, &pattern) == 0, "%s", cases[i].pattern);
        const char *outcome = match(&pattern, cases[i].text);
        ck_assert_msg(strcmp(outcome, cases[i].outcome) == 0, "'%s' with %s: %s, not %s",
                      cases[i].pattern, cases[i].text, outcome, cases[i].outcome);
    }
    ck_assert_uint_eq(problems.n_items, 0);
}
END_TEST

START_TEST(test_refuses_what_means_nothing)
{
    static const char *const cases[] = {
        "$",
        "a$",
        "$Q*",
        "$A",
        "$Ax",
        "$[a",
        "$[a]",
        "$[z-a]%",
        "$0*",
        "*$1*",
        "*$0",
        "$@0*",
        "$@*$0*",
        "$(1.2.3)",
        "$(1.2.3.4",
        "$(1.2.3.4/33)",
        "$(1.2.3.4/)",
        "$(01.2.3.4)",
        "$<1.2.3.4/33>",
        "${1::2::3}",
        "${::1/129}",
        "${1.2.3.4}",
        "$(1.2.3.4/8/8)",
        "$_",
        "$_x",
        "a\x01",
        "$^$*",
        "$@(1.2.3.4)",
        "$(1.2.3.4/-1)",
        "$[a\\",
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct pattern pattern;

        ck_assert_msg(compile(cases[i], &pattern) == -EINVAL, "%s", cases[i]);
        ck_assert_uint_eq(problems.n_errors, i + 1);
        ck_assert_uint_eq(problems.items[i].line, 7);
    }
}
END_TEST

START_TEST(test_takes_256_characters_and_no_more)
{
    char text[PATTERN_BYTES_MAX + 2] = "";
    struct pattern pattern;

    memset(text, '*', PATTERN_BYTES_MAX);
    ck_assert_int_eq(compile(text, &pattern), 0);
    ck_assert_str_eq(match(&pattern, "abc"), "[abc,,,,,,,,,]");
    text[PATTERN_BYTES_MAX] = '*';
    ck_assert_int_eq(compile(text, &pattern), -EINVAL);
}
END_TEST

START_TEST(test_warns_of_host_bits)
{
    struct pattern pattern;

    ck_assert_int_eq(compile("$(192.0.2.9/24)", &pattern), 0);
    ck_assert_int_eq(compile("${2001:db8::1/64}", &pattern), 0);
    ck_assert_uint_eq(problems.n_warnings, 2);
    ck_assert_int_eq(compile("$<192.0.2.9/8>", &pattern), 0);
    ck_assert_uint_eq(problems.n_warnings, 2);
    ck_assert_str_eq(match(&pattern, "192.0.2.1"), "[192.0.2.1]");
}
END_TEST

/* Patterns for which plain backtracking would run for years. */
START_TEST(test_bounds_its_steps)
{
    char text[PATTERN_INPUT_MAX + 1] = "", hard[PATTERN_BYTES_MAX + 1] = "";
    struct pattern pattern;

    memset(text, 'a', PATTERN_INPUT_MAX);
    for (size_t i = 0; i + 1 < PATTERN_BYTES_MAX; i += 2)
        memcpy(hard + i, "*%", 2);
    hard[PATTERN_BYTES_MAX - 1] = 'b';
    ck_assert_int_eq(compile(hard, &pattern), 0);
    const char *outcome = match(&pattern, text);
    ck_assert(strcmp(outcome, "no") == 0 || strcmp(outcome, "too hard") == 0);
    ck_assert_int_eq(compile("*a*a*a*a*a*a*a*a*a*ab", &pattern), 0);
    ck_assert_str_eq(match(&pattern, text), "no");
    ck_assert_int_eq(compile("$A*$A*$A*$A*$A*$A*$A*5", &pattern), 0);
    ck_assert_str_eq(match(&pattern, text), "no");
    ck_assert_int_eq(compile("*a*a*a*a*a*a$0*b", &pattern), 0);
    ck_assert_str_eq(match(&pattern, text), "too hard");
}
END_TEST

/* Against a matcher that is simple and slow. */
START_TEST(test_agrees_with_the_reference)
{
    static const char *const pieces[] = {
        "*",   "%",    "a",       "b",       "|",    "*",   "$_*",           "$@*",
        "$A*", "$_A*", "$[ab]*",  "$[1-2]%", "1",    "2",   "$D%",           "$*",
        "$0*", "$1*",  "$_[a|]*", ".",       "$@0*", "$D*", "$(1.2.1.0/24)", "A",
    };
    static const char letters[] = "aabb|12A.*";
    struct random_source source = random_start();
    unsigned n_matches = 0;

    for (unsigned i = 0; i < 30000; i++) {
        char pattern_text[128] = "", text[24] = "", expected[256];
        struct pattern pattern;

        for (uint64_t n = random_between(&source, 0, 7); n > 0; n--)
            strcat(pattern_text, pieces[random_between(&source, 0, ELEMENTSOF(pieces) - 1)]);
        size_t length = random_between(&source, 0, 10);
        for (size_t k = 0; k < length; k++)
            text[k] = letters[random_between(&source, 0, sizeof(letters) - 2)];
        if (random_between(&source, 0, 9) == 0)
            strcat(text, "1.2.1.2");
        if (compile(pattern_text, &pattern) < 0)
            continue;
        reference_match(pattern_text, text, expected);
        const char *outcome = match(&pattern, text);
        n_matches += strcmp(outcome, "no") != 0;
        ck_assert_msg(strcmp(outcome, expected) == 0, "'%s' with %s: %s, not %s", pattern_text,
                      text, outcome, expected);
    }
    ck_assert_uint_gt(n_matches, 300);
}
END_TEST

SUITE("pattern", NULL, teardown, test_matches_as_the_manual_says, test_refuses_what_means_nothing,
      test_takes_256_characters_and_no_more, test_warns_of_host_bits, test_bounds_its_steps,
      test_agrees_with_the_reference)
