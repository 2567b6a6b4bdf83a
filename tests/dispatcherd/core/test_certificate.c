/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The time is always the same, so that each bound can be met to the second. */
#include "base/macro.h"
#include "base/time.h"
#include "dispatcherd/alerts/alert_texts.h"
#include "dispatcherd/core/certificate.h"
#include "dispatcherd/core/service.h"
#include "support/suite.h"

#include <stdio.h>

#define DAY  INT64_C(86400)
#define SOON (14 * DAY)

/* 2026-03-01 12:00 UTC. */
#define TODAY INT64_C(1772366400)

/* The monotonic clock, which knows no dates. */
static const uint64_t now = 1000 * USEC_PER_SEC;

static int64_t today;
static struct service service;

time_t time(time_t *ret)
{
    if (ret)
        *ret = (time_t)today;
    return (time_t)today;
}

static void set_up(void)
{
    today = TODAY;
    service = (struct service){0};
}

static void show(int64_t expires_at)
{
    service.certificate = (struct certificate){.is_known = true, .expires_at = expires_at};
}

static const char *described(void)
{
    static char words[512];
    struct str_buffer text = str_buffer_init(words, sizeof(words));

    alert_texts_certificate(&service, &text);
    return words;
}

START_TEST(test_nothing_is_bad_if_nothing_is_known)
{
    ck_assert(!certificate_is_bad(&service));
    ck_assert_uint_eq(certificate_bad_at(&service, now), USEC_INFINITY);
}
END_TEST

START_TEST(test_it_is_bad_from_14_days_before_it_expires)
{
    static const struct {
        int64_t left;
        bool is_bad;
    } cases[] = {
        {100 * 365 * DAY, false},
        {SOON + 1, false},
        {SOON, true},
        {SOON - 1, true},
        {1, true},
        {0, true},
        {-1, true},
        {-DAY, true},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        show(TODAY + cases[i].left);
        ck_assert_int_eq(certificate_is_bad(&service), cases[i].is_bad);
        ck_assert_uint_eq(certificate_bad_at(&service, now),
                          cases[i].is_bad ? USEC_INFINITY
                                          : now + (uint64_t)(cases[i].left - SOON) * USEC_PER_SEC);
    }
}
END_TEST

/* 0 stands for one that has no date, and the last one is the end of the year 9999. */
START_TEST(test_the_first_and_the_last_date_are_dates)
{
    show(0);
    ck_assert(certificate_is_bad(&service));
    ck_assert_uint_eq(certificate_bad_at(&service, now), USEC_INFINITY);
    ck_assert_str_eq(described(), "has a certificate that expired on 1970-01-01 00:00 UTC");
    show(INT64_C(253402300799));
    ck_assert(!certificate_is_bad(&service));
    ck_assert_uint_eq(certificate_bad_at(&service, now),
                      now + (uint64_t)(INT64_C(253402300799) - TODAY - SOON) * USEC_PER_SEC);
    ck_assert_uint_eq(certificate_bad_at(&service, USEC_INFINITY - 1), USEC_INFINITY);
    ck_assert_str_eq(described(), "has a certificate that expires on 9999-12-31 23:59 UTC");
}
END_TEST

START_TEST(test_it_turns_bad_when_that_was_foretold)
{
    show(TODAY + SOON + 60);
    uint64_t at = certificate_bad_at(&service, now);
    today += (int64_t)((at - now) / USEC_PER_SEC) - 1;
    ck_assert(!certificate_is_bad(&service));
    today++;
    ck_assert(certificate_is_bad(&service));
}
END_TEST

START_TEST(test_a_fault_is_bad_however_long_it_lasts)
{
    snprintf(service.certificate.fault, sizeof(service.certificate.fault), "no such file");
    ck_assert(certificate_is_bad(&service));
    ck_assert_uint_eq(certificate_bad_at(&service, now), USEC_INFINITY);
    show(TODAY + 100 * DAY);
    ck_assert(!certificate_is_bad(&service));
    snprintf(service.certificate.fault, sizeof(service.certificate.fault), "no such file");
    ck_assert(certificate_is_bad(&service));
    ck_assert_str_eq(described(), "has a certificate that cannot be used: no such file");
}
END_TEST

START_TEST(test_is_described_with_its_date)
{
    show(TODAY + 1);
    ck_assert_str_eq(described(), "has a certificate that expires on 2026-03-01 12:00 UTC");
    show(TODAY);
    ck_assert_str_eq(described(), "has a certificate that expired on 2026-03-01 12:00 UTC");
    show(TODAY - 15 * DAY);
    ck_assert_str_eq(described(), "has a certificate that expired on 2026-02-14 12:00 UTC");
}
END_TEST

SUITE("certificate", set_up, NULL, test_nothing_is_bad_if_nothing_is_known,
      test_it_is_bad_from_14_days_before_it_expires, test_the_first_and_the_last_date_are_dates,
      test_it_turns_bad_when_that_was_foretold, test_a_fault_is_bad_however_long_it_lasts,
      test_is_described_with_its_date)
