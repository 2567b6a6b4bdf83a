/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whether a pattern can match what a table is applied to. */
#include "support/random.h"
#include "support/suite.h"

#include "base/macro.h"
#include "mapping/form.h"
#include "mapping/port_access.h"

#include <string.h>
#include <sys/socket.h>

static struct form_automaton *automaton;

static void setup(void)
{
    automaton = form_automaton_new();
    ck_assert_ptr_nonnull(automaton);
}

static void teardown(void)
{
    form_automaton_free(automaton);
}

static bool can_match(const char *text, unsigned forms)
{
    struct problem_list problems = {0};
    const struct place place = {.problems = &problems, .file = "pattern"};
    struct arena arena = {0};
    struct pattern pattern;

    ck_assert_msg(pattern_compile(text, strlen(text), &arena, &place, &pattern) == 0, "%s", text);
    bool result = form_can_match(automaton, &pattern, forms);
    arena_clear(&arena);
    problem_list_clear(&problems);
    return result;
}

static void check_all(const char *const patterns[], size_t n, unsigned forms, bool expected)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(can_match(patterns[i], forms) == expected, "%s", patterns[i]);
}

START_TEST(test_lets_pass_what_matches_some_probe)
{
    static const char *const patterns[] = {
        "*",
        "*|*|*|*|*",
        "TCP|*|25|*|*",
        "tcp|*|*|127.*|*",
        "TCP|*",
        "*|25|*",
        "*|40312",
        "TCP|192.0.2.1|25|198.51.100.7|*",
        "TCP|*|*|$(192.0.2.0/24)|*",
        "TCP|${2001:db8::/32}|25|${::/0}|*",
        "TCP|$(10.0.0.0/8)|*|$<192.0.2.0/8>|*",
        "TCP|*|*|::1|*",
        "TCP|*|*|2001:db8:*|*",
        "TCP|*|*|2001:DB8::1|*",
        "TCP|*|*|fe80::1|*",
        "TCP|*|*|1:2:3:4:5:6:7:8|*",
        "TCP|*|*|::192.0.2.1|*",
        "TCP|*|*|*:*:*|*",
        "TCP|*|*|*.7|*",
        "$A*|*|$D*|*|$D*",
        "%%%|%*|%%|*|%*",
        "TCP|$[0-9.]*|2$D%|*|*",
        "T*P|*|25|*|*",
        "TCP|*|$D*|*|$1*",
        "TCP|*|65535|255.255.255.255|1",
        "TCP|0.0.0.0|1|0.0.0.0|65535",
        "TCP|*|25|19*",
        "TCP|*|25|192.0.2.%|*",
        "$_*|$_*|25|*",
    };

    check_all(patterns, ELEMENTSOF(patterns), FORM_PROBE, true);
}
END_TEST

START_TEST(test_finds_what_matches_no_probe)
{
    static const char *const patterns[] = {
        "192.0.2.1",
        "TPC|*|25|*|*",
        "UDP|*|25|*|*",
        "TCP|*|*|*|*|*",
        "TCP|25|192.0.2.1",
        "*|*|25|192.0.2.1",
        "TCP|*|smtp|*|*",
        "TCP|*|25|192.0.2.1:*|*",
        "TCP|*|25|192.0.2.|*",
        "TCP|*|25|192.0.2|*",
        "TCP|*|25|192.0.2.1.5|*",
        "TCP|*|25|192.0.2.256|*",
        "TCP|*|25|192.0.02.1|*",
        "TCP|*|25|192.0.2.0/24|*",
        "TCP|*|025|*|*",
        "TCP|*|0|*|*",
        "TCP|*|655350|*|*",
        "TCP|*|25|mail.example|*",
        "TCP|*|25|[2001:db8::1]|*",
        "TCP|*|25|2001:db8::1::2|*",
        "TCP|*|25|2001:0db8::1|*",
        "TCP|*|25|fe80::1%eth0|*",
        "TCP|*|25|1:2:3|*",
        "TCP|*|25|:::1|*",
        "TCP|*|25|12345::|*",
        "TCP|*|*|127.",
        "",
        "TCP",
        "TCP|*|25|*|",
        "TCP ",
        "T",
        "TCP|$(192.0.2.0/24)|$(192.0.2.0/24)|*|*",
        "TCP|*|25|1$(192.0.2.0/24)|*",
        "TCP|*|25|2001:db8:|*",
    };

    check_all(patterns, ELEMENTSOF(patterns), FORM_PROBE, false);
}
END_TEST

START_TEST(test_knows_addresses_and_ports)
{
    static const char *const addresses[] = {
        "*", "127.0.0.1", "$(192.0.2.0/24)", "::1", "127.*", "${::1}", "*.*", "2001:db8:*"};
    static const char *const none[] = {
        "203.0.113.", "192.0.2", "localhost",         "TCP|*",
        "25",         "",        "$(192.0.2.0/24)|*", "192.0.2.0-192.0.2.9"};

    check_all(addresses, ELEMENTSOF(addresses), FORM_ADDRESS, true);
    check_all(none, ELEMENTSOF(none), FORM_ADDRESS, false);
    check_all(none, ELEMENTSOF(none), FORM_ADDRESS | FORM_ANY, true);
    ck_assert(can_match("25", FORM_PORT));
    ck_assert(can_match("25", FORM_ADDRESS | FORM_PORT));
    ck_assert(!can_match("smtp", FORM_PORT));
    ck_assert(!can_match("127.0.0.1", FORM_PORT));
}
END_TEST

static struct address random_address(struct random_source *source)
{
    bool is_ipv6 = random_between(source, 0, 1);
    struct address address = {.family = is_ipv6 ? AF_INET6 : AF_INET};

    for (size_t i = 0; i < (is_ipv6 ? 16U : 4U); i++)
        address.bytes[i] = random_between(source, 0, 2) ? (uint8_t)random_next(source) : 0;
    address.port = (uint16_t)random_between(source, 1, 65535);
    return address;
}

/* The text with some runs of its characters given away to wildcards. */
static void generalise(struct random_source *source, const char *text, char *pattern)
{
    static const char *const wildcards[] = {"*", "%", "$H*"};

    while (*text) {
        size_t pick = random_between(source, 0, 25);

        if (pick >= ELEMENTSOF(wildcards)) {
            *pattern++ = *text++;
            continue;
        }
        size_t n = pick == 1 ? 1 : random_between(source, 0, strlen(text));
        if (pick == 2 && n > strspn(text, "0123456789abcdef"))
            n = strspn(text, "0123456789abcdef");
        pattern = stpcpy(pattern, wildcards[pick]);
        text += n;
    }
    *pattern = '\0';
}

/* The automaton may know more strings than there are, never fewer. */
START_TEST(test_never_calls_a_pattern_useless_that_matches)
{
    struct random_source source = random_start();

    for (unsigned i = 0; i < 20000; i++) {
        struct address server = random_address(&source), client = random_address(&source);
        char probe[PORT_ACCESS_PROBE_MAX], pattern[PATTERN_BYTES_MAX + 1];

        ck_assert_int_eq(port_access_probe(&server, &client, probe), 0);
        generalise(&source, probe, pattern);
        ck_assert_msg(can_match(pattern, FORM_PROBE), "%s, which matches %s", pattern, probe);
        generalise(&source, strrchr(probe, '|') + 1, pattern);
        ck_assert_msg(can_match(pattern, FORM_PORT), "%s of %s", pattern, probe);
        *strrchr(probe, '|') = '\0';
        generalise(&source, strrchr(probe, '|') + 1, pattern);
        ck_assert_msg(can_match(pattern, FORM_ADDRESS), "%s of %s", pattern, probe);
    }
}
END_TEST

static unsigned form_of(const char *text, unsigned forms, unsigned field)
{
    struct problem_list problems = {0};
    const struct place place = {.problems = &problems, .file = "pattern"};
    struct arena arena = {0};
    struct pattern pattern;

    ck_assert_msg(pattern_compile(text, strlen(text), &arena, &place, &pattern) == 0, "%s", text);
    unsigned form = form_of_field(&pattern, forms, field);
    arena_clear(&arena);
    problem_list_clear(&problems);
    return form;
}

START_TEST(test_knows_what_a_wildcard_stands_for)
{
    ck_assert_uint_eq(form_of("*|*|*|*|*", FORM_PROBE, 3), FORM_ADDRESS);
    ck_assert_uint_eq(form_of("*|*|*|*|*", FORM_PROBE, 2), FORM_PORT);
    ck_assert_uint_eq(form_of("*|*|*|*|*", FORM_PROBE, 0), FORM_ANY);
    ck_assert_uint_eq(form_of("TCP|*|25|*|*", FORM_PROBE, 1), FORM_ADDRESS);
    ck_assert_uint_eq(form_of("TCP|*|25|*|*", FORM_PROBE, 2), FORM_PORT);
    ck_assert_uint_eq(form_of("TCP|*|25|*", FORM_PROBE, 1), FORM_ANY);
    ck_assert_uint_eq(form_of("TCP|*|25|192.*|*", FORM_PROBE, 1), FORM_ANY);
    ck_assert_uint_eq(form_of("TCP|*|25|$(192.0.2.0/24)|*", FORM_PROBE, 1), FORM_ADDRESS);
    ck_assert_uint_eq(form_of("*", FORM_PROBE, 0), FORM_PROBE);
    ck_assert_uint_eq(form_of("*", FORM_ADDRESS, 0), FORM_ADDRESS);
    ck_assert_uint_eq(form_of("*|*|*|*|*", FORM_ANY, 3), FORM_ANY);
}
END_TEST

SUITE("form", setup, teardown, test_lets_pass_what_matches_some_probe,
      test_finds_what_matches_no_probe, test_knows_addresses_and_ports,
      test_never_calls_a_pattern_useless_that_matches, test_knows_what_a_wildcard_stands_for)
