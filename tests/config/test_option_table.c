/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "config/option_table.h"
#include "config/value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(test_every_option_is_described)
{
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option *option = &option_table[i];

        ck_assert_msg(option->name != NULL, "option %zu has no row", i);
        ck_assert_msg(option->type && option->help && *option->help && option->document,
                      "%s lacks something", option->name);
        ck_assert(option->scopes & (SCOPE_SERVICE | SCOPE_DISPATCHER));
        ck_assert(option->min <= option->max);
        ck_assert_uint_eq(option_id(option), i);
    }
}
END_TEST

START_TEST(test_names_are_unique_and_found_without_case)
{
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const char *name = option_table[i].name;
        char lower[64] = "";

        for (size_t k = 0; name[k]; k++)
            lower[k] = (char)tolower((unsigned char)name[k]);
        ck_assert_ptr_eq(option_find(lower), &option_table[i]);
        ck_assert_ptr_null(ignored_option_find(name));
        if (option_table[i].aliases[0])
            ck_assert_ptr_eq(option_find(option_table[i].aliases[0]), &option_table[i]);
        if (i > 0)
            ck_assert_int_lt(strcmp(option_table[i - 1].name, name), 0);
    }
    for (size_t i = 0; i < n_ignored_options; i++) {
        ck_assert_ptr_eq(ignored_option_find(ignored_option_table[i].name),
                         &ignored_option_table[i]);
        ck_assert_ptr_null(option_find(ignored_option_table[i].name));
    }
    ck_assert_ptr_null(option_find("MAX_CONN"));
    ck_assert_ptr_null(option_find(""));
}
END_TEST

/* Two rows of one place would overwrite each other. */
START_TEST(test_places_are_distinct)
{
    for (size_t i = 0; i < N_OPTIONS; i++)
        for (size_t k = 0; k < i; k++)
            ck_assert_msg(option_table[i].offset != option_table[k].offset, "%s and %s",
                          option_table[i].name, option_table[k].name);
}
END_TEST

START_TEST(test_guesses_what_was_meant)
{
    static const struct {
        const char *name, *nearest;
    } cases[] = {
        {"MAX_CONS", "MAX_CONNS"},
        {"max_proc", "MAX_PROCS"},
        {"MAXPROCS", "MAX_PROCS"},
        {"PROT", "PORT"},
        {"INTERFACE_ADRESS", "INTERFACE_ADDRESS"},
        {"DNS_VERIFY_DOMAINS", "DNS_VERIFY_DOMAIN"},
        {"IMGE", "IMAGE"},
        {"PROXY_UPSTREAM", "PROXY_UPSTREAMS"},
        {"TCP_PORT", "TCP_PORTS"},
        {"BYTML", "BYTLM"},
        {"COLOUR", NULL},
        {"X", NULL},
        {"", NULL},
        {"A_NAME_FAR_LONGER_THAN_ANY_THAT_IS_KNOWN_TO_US", NULL},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        const char *nearest = option_nearest_name(cases[i].name);

        if (cases[i].nearest)
            ck_assert_pstr_eq(nearest, cases[i].nearest);
        else
            ck_assert_ptr_null(nearest);
    }
}
END_TEST

START_TEST(test_defaults_are_those_of_the_original)
{
    static const struct {
        enum option_id id;
        const char *text;
    } cases[] = {
        {OPTION_BACKLOG, "MAX_CONNS x MAX_PROCS, at least 5"},
        {OPTION_DEBUG, "0"},
        {OPTION_DNS_SERVERS, "those of resolv.conf"},
        {OPTION_DNS_VERIFY_DOMAIN, "none"},
        {OPTION_ENABLE, "1"},
        {OPTION_FLEET, "limits for this host alone"},
        {OPTION_FLEET_ADDRESSES, "0"},
        {OPTION_FLEET_NAME, "derived from the machine's identifier"},
        {OPTION_FLEET_WAIT, "0"},
        {OPTION_HISTORICAL_TIME, "0"},
        {OPTION_IDENT, "0"},
        {OPTION_IMAGE, "none"},
        {OPTION_INTERFACE_ADDRESS, "all addresses"},
        {OPTION_LOGFILE, "the journal"},
        {OPTION_MAX_CONNS, "10"},
        {OPTION_MAX_CONNS_PER_ADDRESS, "0"},
        {OPTION_MAX_CONNS_PER_NETWORK, "0"},
        {OPTION_MAX_HANDOFFS, "5"},
        {OPTION_MAX_IDLE_TIME, "600"},
        {OPTION_MAX_LIFE_CONNS, "300"},
        {OPTION_MAX_LIFE_TIME, "86400"},
        {OPTION_MAX_PROCS, "5"},
        {OPTION_MAX_SHUTDOWN, "2"},
        {OPTION_MIN_CONNS, "3"},
        {OPTION_MIN_PROCS, "1"},
        {OPTION_PARAMETER, "none"},
        {OPTION_PORT, "none"},
        {OPTION_PROXY_PROTOCOL, "0"},
        {OPTION_PROXY_UPSTREAMS, "none"},
        {OPTION_RECORD, "none"},
        {OPTION_STACKSIZE, "0"},
        {OPTION_TLS_PORT, "none"},
    };
    char text[OPTION_DEFAULT_TEXT_MAX];

    ck_assert_uint_eq(ELEMENTSOF(cases), N_OPTIONS);
    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        ck_assert_str_eq(option_default_text(&option_table[cases[i].id], text), cases[i].text);
}
END_TEST

static char *read_manual(void)
{
    FILE *stream = fopen(TEST_SOURCE_DIR "/../man/dispatcher.cnf.5", "r");
    char *text = calloc(1, 1 << 18);

    ck_assert_ptr_nonnull(stream);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_gt(fread(text, 1, (1 << 18) - 1, stream), 0);
    fclose(stream);
    return text;
}

/* The manual's paragraph of the option, cut off at the next one's; NULL where it has none. */
static char *manual_paragraph(const char *manual, const char *name)
{
    char start[80];

    snprintf(start, sizeof(start), "\n.TP\n.BR %s =", name);
    const char *found = strstr(manual, start);
    if (!found)
        return NULL;
    const char *end = strstr(found + strlen(start), "\n.TP\n");
    return strndup(found, end ? (size_t)(end - found) : strlen(found));
}

START_TEST(test_the_manual_page_has_every_option_with_its_default)
{
    char *manual = read_manual();

    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option *option = &option_table[i];
        char expected[100], text[OPTION_DEFAULT_TEXT_MAX];
        char *paragraph = manual_paragraph(manual, option->name);

        ck_assert_msg(paragraph != NULL, "the manual page has no %s", option->name);
        snprintf(expected, sizeof(expected), "Default: %s.", option_default_text(option, text));
        ck_assert_msg(strstr(paragraph, expected) != NULL, "%s: no '%s' in:%s", option->name,
                      expected, paragraph);
        if (option->aliases[0])
            ck_assert_msg(strstr(paragraph, option->aliases[0]) != NULL, "%s: no %s", option->name,
                          option->aliases[0]);
        free(paragraph);
    }
    for (size_t i = 0; i < n_ignored_options; i++)
        ck_assert_msg(strstr(manual, ignored_option_table[i].name) != NULL,
                      "the manual page has no %s", ignored_option_table[i].name);
    free(manual);
}
END_TEST

/* Ranges stand in the manual page as "MIN to MAX". */
START_TEST(test_the_manual_page_has_the_ranges)
{
    char *manual = read_manual();

    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option *option = &option_table[i];
        char expected[100];

        if (option->type != &value_count && option->type != &value_mask)
            continue;
        char *paragraph = manual_paragraph(manual, option->name);
        ck_assert_ptr_nonnull(paragraph);
        snprintf(expected, sizeof(expected), "%s%lld to %lld", option->min < 0 ? "\\-" : "",
                 llabs((long long)option->min), (long long)option->max);
        ck_assert_msg(strstr(paragraph, expected) != NULL, "%s: no '%s' in:%s", option->name,
                      expected, paragraph);
        free(paragraph);
    }
    free(manual);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("option table");

    ADD_TESTS(suite, "table", test_every_option_is_described,
              test_names_are_unique_and_found_without_case, test_places_are_distinct,
              test_guesses_what_was_meant, test_defaults_are_those_of_the_original);
    ADD_TESTS(suite, "manual", test_the_manual_page_has_every_option_with_its_default,
              test_the_manual_page_has_the_ranges);
    return suite;
}
