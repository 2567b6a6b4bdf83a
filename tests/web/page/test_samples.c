/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/random.h"
#include "support/suite.h"
#include "web/page/samples.h"

#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define START    (50 * USEC_PER_SEC)
#define INTERVAL SAMPLES_INTERVAL_USEC

static struct samples samples;
static struct sample_point points[SAMPLES_MAX];

static void setup(void)
{
    samples = (struct samples){0};
}

static void add(const char *service, uint64_t at, int64_t n_active, int64_t n_accepted)
{
    struct sample sample = {.at_usec = at, .n_active = n_active, .n_accepted = n_accepted};

    ck_assert_int_eq(samples_add(&samples, service, &sample), 0);
}

static size_t curve(const char *service, enum sample_figure figure)
{
    return sample_points(samples_find(&samples, service), figure, 0, points);
}

START_TEST(test_a_rate_lies_between_two_samples)
{
    setup();
    add("SMTP", START, 1, 100);
    add("SMTP", START + INTERVAL, 2, 150);
    ck_assert_uint_eq(curve("SMTP", SAMPLE_ACTIVE), 2);
    ck_assert(!points[0].is_joined && points[1].is_joined);
    ck_assert_uint_eq(curve("SMTP", SAMPLE_ACCEPTED_PER_SEC), 1);
    ck_assert_double_eq(points[0].value, 5);
    ck_assert_uint_eq(points[0].at_usec, START + INTERVAL);
    ck_assert(!points[0].is_joined);
    samples_clear(&samples);
}
END_TEST

START_TEST(test_over_a_gap_there_is_no_rate_and_no_line)
{
    setup();
    add("SMTP", START, 1, 100);
    add("SMTP", START + 10 * INTERVAL, 2, 150);
    add("SMTP", START + 11 * INTERVAL, 2, 150);
    ck_assert_uint_eq(curve("SMTP", SAMPLE_ACTIVE), 3);
    ck_assert(!points[1].is_joined && points[2].is_joined);
    ck_assert_uint_eq(curve("SMTP", SAMPLE_ACCEPTED_PER_SEC), 1);
    samples_clear(&samples);
}
END_TEST

START_TEST(test_a_counter_that_went_back_gives_no_rate)
{
    setup();
    add("SMTP", START, 1, 100);
    add("SMTP", START + INTERVAL, 1, 3);
    add("SMTP", START + 2 * INTERVAL, 1, 13);
    ck_assert_uint_eq(curve("SMTP", SAMPLE_ACCEPTED_PER_SEC), 1);
    ck_assert_double_eq(points[0].value, 1);
    samples_clear(&samples);
}
END_TEST

START_TEST(test_what_is_not_newer_or_has_no_name_of_a_service_is_refused)
{
    struct sample sample = {.at_usec = START};

    setup();
    add("SMTP", START, 1, 1);
    ck_assert_int_eq(samples_add(&samples, "SMTP", &sample), -EINVAL);
    ck_assert_int_eq(samples_add(&samples, "A23456789012345678901234567890123", &sample), -EINVAL);
    ck_assert_ptr_null(samples_find(&samples, "POP"));
    samples_clear(&samples);
}
END_TEST

START_TEST(test_services_are_bounded_and_the_forgotten_make_room)
{
    struct sample sample = {.at_usec = START + SAMPLES_SPAN_USEC};
    char name[SERVICE_NAME_MAX];

    setup();
    for (unsigned i = 0; i < SAMPLES_SERVICES_MAX; i++) {
        snprintf(name, sizeof(name), "S%u", i);
        add(name, START + i, 1, 1);
    }
    ck_assert_int_eq(samples_add(&samples, "NEW", &sample), -ENOSPC);
    sample.at_usec++;
    ck_assert_int_eq(samples_add(&samples, "NEW", &sample), 0);
    ck_assert_ptr_null(samples_find(&samples, "S0"));
    ck_assert_ptr_nonnull(samples_find(&samples, "S1"));
    ck_assert_uint_eq(curve("NEW", SAMPLE_ACTIVE), 1);
    samples_clear(&samples);
}
END_TEST

/* Against a plain list of all that was ever added. */
START_TEST(test_agrees_with_a_list_that_forgets_nothing)
{
    struct random_source source = random_start();

    for (unsigned round = 0; round < 30; round++) {
        static struct sample all[2 * SAMPLES_MAX];
        size_t n_all = random_between(&source, 1, 2 * SAMPLES_MAX);
        uint64_t at = START;

        setup();
        for (size_t i = 0; i < n_all; i++) {
            at += random_between(&source, 1, 3 * INTERVAL);
            all[i] = (struct sample){.at_usec = at,
                                     .n_waiting = (int64_t)random_between(&source, 0, 1000)};
            ck_assert_int_eq(samples_add(&samples, "SMTP", &all[i]), 0);
        }
        size_t n = curve("SMTP", SAMPLE_WAITING);
        ck_assert_uint_eq(n, n_all < SAMPLES_MAX ? n_all : SAMPLES_MAX);
        for (size_t i = 0; i < n; i++) {
            ck_assert_uint_eq(points[i].at_usec, all[n_all - n + i].at_usec);
            ck_assert_double_eq(points[i].value, (double)all[n_all - n + i].n_waiting);
        }
        /* Of a part, the same. */
        uint64_t from = random_between(&source, START, at);
        size_t n_part = sample_points(samples_find(&samples, "SMTP"), SAMPLE_WAITING, from, points);
        ck_assert_uint_le(n_part, n);
        for (size_t i = 0; i < n_part; i++)
            ck_assert_uint_ge(points[i].at_usec, from);
        samples_clear(&samples);
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("samples");

    ADD_TESTS(suite, "curves", test_a_rate_lies_between_two_samples,
              test_over_a_gap_there_is_no_rate_and_no_line,
              test_a_counter_that_went_back_gives_no_rate);
    ADD_TESTS(suite, "bounds", test_what_is_not_newer_or_has_no_name_of_a_service_is_refused,
              test_services_are_bounded_and_the_forgotten_make_room);
    ADD_TESTS(suite, "properties", test_agrees_with_a_list_that_forgets_nothing);
    return suite;
}
