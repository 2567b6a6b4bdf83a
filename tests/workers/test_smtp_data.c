/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "workers/tcp_smtp_server/data.h"

#include <string.h>

/* In `input` NUL is written "@", so that it can be a string. */
static const struct {
    const char *input;
    enum data_status status;
    enum data_fault fault;
    const char *output; /* where there is no fault */
    const char *rest;   /* what was not consumed */
} cases[] = {
    {".\r\n", DATA_END, DATA_NO_FAULT, "", ""},
    {"a\r\n.\r\n", DATA_END, DATA_NO_FAULT, "a\n", ""},
    {"a\r\n\r\nb\r\n.\r\nQUIT\r\n", DATA_END, DATA_NO_FAULT, "a\n\nb\n", "QUIT\r\n"},
    {"..\r\n.\r\n", DATA_END, DATA_NO_FAULT, ".\n", ""},
    {"...\r\n.\r\n", DATA_END, DATA_NO_FAULT, "..\n", ""},
    {".a\r\n.\r\n", DATA_END, DATA_NO_FAULT, "a\n", ""},
    {"a.\r\nb.c\r\n.\r\n", DATA_END, DATA_NO_FAULT, "a.\nb.c\n", ""},
    {"\r\n.\r\n", DATA_END, DATA_NO_FAULT, "\n", ""},
    {"a\r\n", DATA_MORE, DATA_NO_FAULT, "a\n", ""},
    {"a\r\n.", DATA_MORE, DATA_NO_FAULT, "a\n", ""},
    {"a\r\n.\r", DATA_MORE, DATA_NO_FAULT, "a\n", ""},
    {"", DATA_MORE, DATA_NO_FAULT, "", ""},
    /* Faults that go on to the true end. */
    {"a\nb\r\n.\r\n", DATA_END, DATA_BARE_LF, NULL, ""},
    {"a\rb\r\n.\r\n", DATA_END, DATA_BARE_CR, NULL, ""},
    {"a\r\r\n.\r\n", DATA_END, DATA_BARE_CR, NULL, ""},
    {"a@b\r\n.\r\n", DATA_END, DATA_NUL, NULL, ""},
    {"a\r\n.@\r\n.\r\n", DATA_END, DATA_NUL, NULL, ""},
    {"a\r\n.\n", DATA_BROKEN_END, DATA_BARE_LF, NULL, ""},
    {"a\n..\r\n.\r\n", DATA_END, DATA_BARE_LF, NULL, ""},
    {"a\n.b\r\n.\r\n", DATA_END, DATA_BARE_LF, NULL, ""},
    /* What smugglers send: never the end, and never a step further. */
    {"a\n.\nMAIL", DATA_BROKEN_END, DATA_BARE_LF, NULL, "MAIL"},
    {"a\n.\r\nMAIL", DATA_BROKEN_END, DATA_BARE_LF, NULL, "\nMAIL"},
    {"a\r.\rMAIL", DATA_BROKEN_END, DATA_BARE_CR, NULL, "MAIL"},
    {"a\r.\r\nMAIL", DATA_BROKEN_END, DATA_BARE_CR, NULL, "\nMAIL"},
    {"a\r.\nMAIL", DATA_BROKEN_END, DATA_BARE_CR, NULL, "MAIL"},
    {"a\n.\rMAIL", DATA_BROKEN_END, DATA_BARE_LF, NULL, "MAIL"},
    {"a\r\n.\nMAIL", DATA_BROKEN_END, DATA_BARE_LF, NULL, "MAIL"},
    {"a\r\n.\rMAIL", DATA_BROKEN_END, DATA_BARE_CR, NULL, "AIL"},
    {"a\r\n.\r\rMAIL", DATA_BROKEN_END, DATA_BARE_CR, NULL, "MAIL"},
    {"a\r\n.\r.\r\n", DATA_BROKEN_END, DATA_BARE_CR, NULL, "\r\n"},
    {"a\r\r.\r\nMAIL", DATA_BROKEN_END, DATA_BARE_CR, NULL, "\nMAIL"},
    {"a\n\n.\nMAIL", DATA_BROKEN_END, DATA_BARE_LF, NULL, "MAIL"},
    {".\nMAIL", DATA_BROKEN_END, DATA_BARE_LF, NULL, "MAIL"},
    {"\n.\nMAIL", DATA_BROKEN_END, DATA_BARE_LF, NULL, "MAIL"},
    {"\r.\rMAIL", DATA_BROKEN_END, DATA_BARE_CR, NULL, "MAIL"},
};

struct outcome {
    enum data_status status;
    size_t n_consumed, n_output;
    char output[64];
};

static void feed(struct data_decoder *decoder, struct outcome *outcome, const char *input, size_t n)
{
    size_t n_consumed, n_output;

    if (outcome->status != DATA_MORE)
        return;
    outcome->status =
        data_decode(decoder, input, n, outcome->output + outcome->n_output, &n_consumed, &n_output);
    outcome->n_consumed += n_consumed;
    outcome->n_output += n_output;
}

static void check(size_t i, const struct data_decoder *decoder, const struct outcome *outcome)
{
    ck_assert_msg(outcome->status == cases[i].status, "case %zu: status %d", i, outcome->status);
    ck_assert_msg(decoder->fault == cases[i].fault, "case %zu: fault %d", i, decoder->fault);
    ck_assert_msg(strlen(cases[i].input + outcome->n_consumed) == strlen(cases[i].rest),
                  "case %zu: consumed %zu", i, outcome->n_consumed);
    if (cases[i].output) {
        ck_assert_uint_eq(outcome->n_output, strlen(cases[i].output));
        ck_assert(memcmp(outcome->output, cases[i].output, outcome->n_output) == 0);
    }
}

static size_t prepare(size_t i, char input[64])
{
    size_t length = strlen(cases[i].input);

    strcpy(input, cases[i].input);
    for (char *at = input; (at = strchr(at, '@'));)
        *at = '\0', at++;
    return length;
}

START_TEST(test_finds_the_end_however_the_input_is_split_in_three)
{
    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        char input[64];
        size_t length = prepare(i, input);

        for (size_t first = 0; first <= length; first++)
            for (size_t second = first; second <= length; second++) {
                struct data_decoder decoder;
                struct outcome outcome = {.status = DATA_MORE};

                data_decoder_init(&decoder);
                feed(&decoder, &outcome, input, first);
                feed(&decoder, &outcome, input + first, second - first);
                feed(&decoder, &outcome, input + second, length - second);
                check(i, &decoder, &outcome);
            }
    }
}
END_TEST

START_TEST(test_finds_the_end_octet_by_octet)
{
    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct data_decoder decoder;
        struct outcome outcome = {.status = DATA_MORE};
        char input[64];
        size_t length = prepare(i, input);

        data_decoder_init(&decoder);
        for (size_t at = 0; at < length; at++)
            feed(&decoder, &outcome, input + at, 1);
        check(i, &decoder, &outcome);
    }
}
END_TEST

START_TEST(test_decodes_in_place)
{
    char text[] = "..a\r\nb\r\n.\r\nQUIT";
    struct data_decoder decoder;
    size_t n_consumed, n_output;

    data_decoder_init(&decoder);
    ck_assert_int_eq(data_decode(&decoder, text, strlen(text), text, &n_consumed, &n_output),
                     DATA_END);
    ck_assert_str_eq(text + n_consumed, "QUIT");
    ck_assert_uint_eq(n_output, strlen(".a\nb\n"));
    ck_assert(memcmp(text, ".a\nb\n", n_output) == 0);
}
END_TEST

START_TEST(test_counts_as_rfc_1870_does)
{
    const char text[] = "..a\r\nb\r\n.\r\n";
    struct data_decoder decoder;
    char output[sizeof(text)];
    size_t n_consumed, n_output;

    data_decoder_init(&decoder);
    (void)data_decode(&decoder, text, strlen(text), output, &n_consumed, &n_output);
    ck_assert_uint_eq(decoder.n_octets, strlen(".a\r\nb\r\n"));
}
END_TEST

SUITE("smtp_data", NULL, NULL, test_finds_the_end_however_the_input_is_split_in_three,
      test_finds_the_end_octet_by_octet, test_decodes_in_place, test_counts_as_rfc_1870_does)
