/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/random.h"
#include "support/suite.h"

#include "access/decisions.h"
#include "base/macro.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Few, so that the ring goes round. */
#define N_MAX 8

static struct decisions *decisions;

static void setup(void)
{
    ck_assert_int_eq(decisions_new(N_MAX, 1, &decisions), 0);
}

static void teardown(void)
{
    decisions_free(decisions);
}

static struct address host(const char *text)
{
    struct address address;

    ck_assert_int_eq(address_parse(text, &address), 0);
    return address;
}

static void note(const char *client, const char *service, uint64_t at)
{
    struct address from = host(client), local = host("192.0.2.1");

    from.port = (uint16_t)(1000 + at);
    decisions_note(decisions, &(struct access_decision_facts){.at = at,
                                                              .client = &from,
                                                              .local = &local,
                                                              .service = service,
                                                              .reason = at % 2 ? "mapping" : NULL});
}

/* The times of the decisions about the client, in the order in which they are told. */
static const char *told(const char *client, const char *service)
{
    static char text[256];
    struct address address = host(client);
    const struct access_decision *decision = NULL;
    size_t n = 0;

    text[0] = '\0';
    while ((decision = decisions_next(decisions, &address, service, decision)))
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%d ", (int)decision->at);
    return text;
}

START_TEST(test_tells_of_one_client_the_newest_first)
{
    ck_assert_str_eq(told("192.0.2.7", NULL), "");
    note("192.0.2.7", "SMTP", 1);
    note("192.0.2.8", "SMTP", 2);
    note("192.0.2.7", "POP3", 3);
    note("2001:db8::7", "SMTP", 4);
    ck_assert_str_eq(told("192.0.2.7", NULL), "3 1 ");
    ck_assert_str_eq(told("192.0.2.7", "smtp"), "1 ");
    ck_assert_str_eq(told("192.0.2.7", "IMAP"), "");
    ck_assert_str_eq(told("2001:db8::7", NULL), "4 ");
    ck_assert_uint_eq(decisions_n(decisions), 4);
}
END_TEST

START_TEST(test_the_oldest_goes_when_the_ring_is_full)
{
    for (uint64_t at = 1; at <= N_MAX; at++)
        note("192.0.2.7", "SMTP", at);
    ck_assert_str_eq(told("192.0.2.7", NULL), "8 7 6 5 4 3 2 1 ");
    note("192.0.2.8", "SMTP", 9);
    note("192.0.2.7", "SMTP", 10);
    ck_assert_str_eq(told("192.0.2.7", NULL), "10 8 7 6 5 4 3 ");
    ck_assert_uint_eq(decisions_n(decisions), N_MAX);
}
END_TEST

START_TEST(test_keeps_copies_and_cuts_them)
{
    char file[1000], pattern[1000], text[] = "421 a\r\n421 b\r\n";
    struct address client = host("192.0.2.7"), local = host("192.0.2.1");

    memset(file, 'f', sizeof(file));
    strcpy(file + sizeof(file) - 9, "mappings");
    memset(pattern, 'p', sizeof(pattern));
    pattern[sizeof(pattern) - 1] = '\0';
    decisions_note(decisions, &(struct access_decision_facts){.at = 1,
                                                              .client = &client,
                                                              .local = &local,
                                                              .service = "SMTP",
                                                              .file = file,
                                                              .line = 3,
                                                              .pattern = pattern,
                                                              .text = text,
                                                              .n_text = strlen(text)});
    memset(file, 0, sizeof(file));
    memset(pattern, 0, sizeof(pattern));
    memset(text, 0, sizeof(text));
    const struct access_decision *decision = decisions_next(decisions, &client, NULL, NULL);
    ck_assert_ptr_nonnull(decision);
    ck_assert_uint_eq(strlen(decision->file), DECISION_FILE_MAX - 1);
    ck_assert_str_eq(decision->file + DECISION_FILE_MAX - 10, "fmappings");
    ck_assert_uint_eq(strlen(decision->pattern), DECISION_TEXT_MAX - 1);
    ck_assert_str_eq(decision->text, "421 a 421 b");
    ck_assert_str_eq(decision->zone, "");
    ck_assert_str_eq(decision->reason, "");
}
END_TEST

/* A place that is used again has nothing of the decision before. */
START_TEST(test_nothing_is_left_of_what_had_the_place)
{
    struct address client = host("192.0.2.7"), local = host("192.0.2.1");
    const struct access_decision_facts full = {.at = 1,
                                               .client = &client,
                                               .local = &local,
                                               .service = "SMTP",
                                               .reason = "dns_list",
                                               .file = "mappings",
                                               .line = 3,
                                               .pattern = "*",
                                               .zone = "list.example",
                                               .detail = "detail",
                                               .text = "500 no",
                                               .n_text = 6};

    for (unsigned i = 0; i < N_MAX; i++)
        decisions_note(decisions, &full);
    note("192.0.2.7", "SMTP", 2);
    const struct access_decision *decision = decisions_next(decisions, &client, NULL, NULL);
    ck_assert_uint_eq(decision->at, 2);
    ck_assert_uint_eq(decision->line, 0);
    ck_assert_int_eq(decision->reason[0] | decision->file[0] | decision->pattern[0] |
                         decision->zone[0] | decision->detail[0] | decision->text[0],
                     0);
}
END_TEST

static unsigned below(struct random_source *source, unsigned limit)
{
    return (unsigned)random_between(source, 0, limit - 1);
}

/* Against a plain array of all that was ever noted. */
START_TEST(test_tells_the_same_as_a_list_of_everything)
{
    static const char *const clients[] = {"192.0.2.7", "192.0.2.8", "2001:db8::7"};
    static const char *const services[] = {"SMTP", "POP3"};
    struct {
        unsigned client, service;
    } all[200];
    struct random_source source = random_start();

    for (unsigned n = 0; n < ELEMENTSOF(all); n++) {
        all[n].client = below(&source, ELEMENTSOF(clients));
        all[n].service = below(&source, ELEMENTSOF(services));
        note(clients[all[n].client], services[all[n].service], n + 1);

        unsigned client = below(&source, ELEMENTSOF(clients));
        unsigned service = below(&source, ELEMENTSOF(services));
        char expected[256] = "";
        size_t length = 0;
        for (unsigned i = n + 1; i > 0 && n + 1 - i < N_MAX; i--)
            if (all[i - 1].client == client && all[i - 1].service == service)
                length += (size_t)snprintf(expected + length, sizeof(expected) - length, "%u ", i);
        ck_assert_str_eq(told(clients[client], services[service]), expected);
    }
}
END_TEST

START_TEST(test_knows_since_when_nothing_was_forgotten)
{
    ck_assert_uint_eq(decisions_since(decisions), 1);
    for (uint64_t at = 11; at <= 10 + N_MAX; at++)
        note("192.0.2.7", "SMTP", at);
    ck_assert_uint_eq(decisions_since(decisions), 1);
    note("192.0.2.7", "SMTP", 100);
    ck_assert_uint_eq(decisions_since(decisions), 12);
    note("192.0.2.7", "SMTP", 101);
    ck_assert_uint_eq(decisions_since(decisions), 13);
}
END_TEST

/* What the same memory is for a successor; `now` is its clock. */
static struct decisions *adopt(uint64_t now)
{
    return decisions_adopt(decisions, decisions_size(N_MAX), now);
}

START_TEST(test_a_successor_goes_on_with_it)
{
    for (unsigned n = 0; n < 3 * N_MAX; n++) {
        char before[256];

        note("192.0.2.7", "SMTP", n + 1);
        snprintf(before, sizeof(before), "%s", told("192.0.2.7", NULL));
        uint64_t since = decisions_since(decisions);
        ck_assert_ptr_eq(adopt(n + 1), decisions);
        ck_assert_str_eq(told("192.0.2.7", NULL), before);
        ck_assert_uint_eq(decisions_since(decisions), since);
    }
}
END_TEST

/* What a predecessor leaves that is killed at any byte that it writes: all older decisions, and the
 * one that it was about to note as a whole or not at all. */
START_TEST(test_a_decision_that_was_cut_short_is_none)
{
    struct address client = host("192.0.2.7");

    for (unsigned n_before = 1; n_before < 2 * N_MAX; n_before++) {
        note("192.0.2.7", "SMTP", n_before);
        struct access_decision *newest =
            (struct access_decision *)decisions_next(decisions, &client, NULL, NULL);
        char expected[256];
        /* Killed in decisions_note(): the time is what it writes last. */
        newest->at = 0;
        snprintf(expected, sizeof(expected), "%s", told("192.0.2.7", NULL));
        ck_assert_ptr_eq(adopt(n_before), decisions);
        ck_assert_str_eq(told("192.0.2.7", NULL), expected);
        newest->at = n_before;
    }
}
END_TEST

/* The last word of the head: the place of the next one. */
static uint32_t *next_place(void)
{
    return (uint32_t *)decisions + 7;
}

/* What a predecessor leaves that is killed when the decision is noted, and its place not yet. */
START_TEST(test_finds_the_newest_that_was_not_yet_counted)
{
    for (unsigned n = 1; n < 3 * N_MAX; n++) {
        char expected[256];

        note("192.0.2.7", "SMTP", n);
        snprintf(expected, sizeof(expected), "%s", told("192.0.2.7", NULL));
        uint32_t next = *next_place();
        ck_assert_uint_eq(next, n % N_MAX);
        *next_place() = (next + N_MAX - 1) % N_MAX;
        ck_assert_ptr_eq(adopt(n), decisions);
        ck_assert_uint_eq(*next_place(), next);
        ck_assert_str_eq(told("192.0.2.7", NULL), expected);
    }
}
END_TEST

START_TEST(test_what_is_no_log_is_not_used)
{
    size_t size = decisions_size(N_MAX);

    note("192.0.2.7", "SMTP", 5);
    ck_assert_ptr_null(decisions_adopt(decisions, size - 1, 9));
    ck_assert_ptr_null(decisions_adopt(decisions, size + 1, 9));
    ck_assert_ptr_null(decisions_adopt(decisions, 1, 9));
    ck_assert_ptr_null(decisions_adopt(decisions, 0, 9));
    /* From another boot: its clock began anew. */
    ck_assert_ptr_null(adopt(0));
    ck_assert_ptr_nonnull(adopt(9));
    memset(decisions, 0, 8);
    ck_assert_ptr_null(adopt(9));
}
END_TEST

/* Whatever is in the memory, no text has no end, and nothing beyond it is read. */
START_TEST(test_adopts_no_harm_from_any_bytes)
{
    struct random_source source = random_start();
    size_t size = decisions_size(N_MAX);
    struct address client = host("192.0.2.7");
    unsigned n_adopted = 0;

    for (unsigned round = 0; round < 2000; round++) {
        memset(decisions, 0, size);
        decisions_format(decisions, N_MAX, 1);
        for (unsigned n = 0; n < round % (2 * N_MAX); n++)
            note("192.0.2.7", "SMTP", n + 1);
        for (unsigned n = below(&source, 200); n > 0; n--)
            ((uint8_t *)decisions)[random_between(&source, 16, size - 1)] =
                (uint8_t)below(&source, 256);
        if (!adopt(1000000))
            continue;
        n_adopted++;
        const struct access_decision *decision = NULL;
        unsigned n_seen = 0;
        while ((decision = decisions_next(decisions, &client, NULL, decision))) {
            ck_assert_uint_lt(strlen(decision->reason), DECISION_REASON_MAX);
            ck_assert_uint_lt(strlen(decision->service), DECISION_SERVICE_MAX);
            ck_assert_uint_lt(strlen(decision->file), DECISION_FILE_MAX);
            ck_assert_uint_lt(strlen(decision->pattern), DECISION_TEXT_MAX);
            ck_assert_uint_lt(strlen(decision->zone), DECISION_TEXT_MAX);
            ck_assert_uint_lt(strlen(decision->detail), DECISION_TEXT_MAX);
            ck_assert_uint_lt(strlen(decision->text), DECISION_TEXT_MAX);
            ck_assert_uint_le(decision->at, 1000000);
            ck_assert_uint_le(++n_seen, N_MAX);
        }
        note("192.0.2.7", "SMTP", 1000000);
    }
    ck_assert_uint_gt(n_adopted, 100);
    memset(decisions, 0, size);
    decisions_format(decisions, N_MAX, 1);
}
END_TEST

START_TEST(test_needs_a_place)
{
    struct decisions *none;

    ck_assert_int_eq(decisions_new(0, 1, &none), -EINVAL);
    decisions_free(NULL);
}
END_TEST

SUITE("decisions", setup, teardown, test_tells_of_one_client_the_newest_first,
      test_the_oldest_goes_when_the_ring_is_full, test_keeps_copies_and_cuts_them,
      test_nothing_is_left_of_what_had_the_place, test_tells_the_same_as_a_list_of_everything,
      test_knows_since_when_nothing_was_forgotten, test_a_successor_goes_on_with_it,
      test_a_decision_that_was_cut_short_is_none, test_finds_the_newest_that_was_not_yet_counted,
      test_what_is_no_log_is_not_used, test_adopts_no_harm_from_any_bytes, test_needs_a_place)
