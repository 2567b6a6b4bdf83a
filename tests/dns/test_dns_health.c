/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/random.h"
#include "support/suite.h"

#include "base/macro.h"
#include "base/time.h"
#include "dns/dns_health.h"

#include <errno.h>
#include <string.h>

#define WELL DNS_HEALTH_WELL_USEC
#define ILL  DNS_HEALTH_ILL_USEC

static const struct dns_health_answer clean = {.meaning = DNS_ANSWER_CLEAN};
static const struct dns_health_answer listed = {.meaning = DNS_ANSWER_LISTED};
static const struct dns_health_answer timed_out = {.error = -ETIMEDOUT};

/* The versions of clang-format disagree about a macro in braces. */
/* clang-format off */
#define ANSWER_OF(value) {.meaning = (value)}
#define ERROR_OF(value)  {.error = (value)}
/* clang-format on */

static const struct {
    struct dns_health_answer listed, unlisted;
    const char *reason; /* NULL: well */
} tests_of_lists[] = {
    {ANSWER_OF(DNS_ANSWER_LISTED), ANSWER_OF(DNS_ANSWER_CLEAN), NULL},
    {ANSWER_OF(DNS_ANSWER_CLEAN), ANSWER_OF(DNS_ANSWER_CLEAN), NULL},
    {ANSWER_OF(DNS_ANSWER_LISTED), ERROR_OF(-ETIMEDOUT), NULL},
    {ERROR_OF(-ETIMEDOUT), ANSWER_OF(DNS_ANSWER_CLEAN), NULL},
    {ERROR_OF(-EREMOTEIO), ANSWER_OF(DNS_ANSWER_CLEAN), NULL},
    {ANSWER_OF(DNS_ANSWER_LISTED), ANSWER_OF(DNS_ANSWER_LISTED), "lists everybody"},
    {ERROR_OF(-ETIMEDOUT), ANSWER_OF(DNS_ANSWER_LISTED), "lists everybody"},
    {ERROR_OF(-ETIMEDOUT), ERROR_OF(-ETIMEDOUT), "does not answer"},
    {ERROR_OF(-EREMOTEIO), ERROR_OF(-ETIMEDOUT), "fail"},
    {ANSWER_OF(DNS_ANSWER_REFUSED_CODE), ANSWER_OF(DNS_ANSWER_CLEAN), "refuses"},
    {ANSWER_OF(DNS_ANSWER_REFUSED_CODE), ANSWER_OF(DNS_ANSWER_REFUSED_CODE), "refuses"},
    {ANSWER_OF(DNS_ANSWER_NOT_A_LIST), ANSWER_OF(DNS_ANSWER_NOT_A_LIST), "a DNS list"},
};

START_TEST(test_judges_by_the_test_entries)
{
    struct dns_health health = {0};
    const char *reason = tests_of_lists[_i].reason;

    bool is_change = dns_health_note_test(&health, tests_of_lists[_i].listed,
                                          tests_of_lists[_i].unlisted, 1000, WELL, ILL);
    ck_assert_int_eq(is_change, reason != NULL);
    ck_assert_int_eq(health.state, reason ? DNS_HEALTH_ILL : DNS_HEALTH_WELL);
    ck_assert_uint_eq(health.next_test_usec, 1000 + (reason ? ILL : WELL));
    if (reason)
        ck_assert_ptr_nonnull(strstr(health.reason, reason));
    else
        ck_assert_ptr_null(health.reason);
    ck_assert(!dns_health_note_test(&health, tests_of_lists[_i].listed, tests_of_lists[_i].unlisted,
                                    2000, WELL, ILL));
    ck_assert_int_eq(dns_health_note_test(&health, listed, clean, 3000, WELL, ILL), reason != NULL);
    ck_assert_int_eq(health.state, DNS_HEALTH_WELL);
}
END_TEST

static const struct {
    int error;
    const char *reason;
} failures[] = {
    {-ETIMEDOUT, "does not answer"},
    {-ECONNREFUSED, "connection refused"},
    {-EREMOTEIO, "fail"},
    {-EBADMSG, "malformed"},
};

/* How fast a question fails does not matter. */
START_TEST(test_three_failures_in_a_row)
{
    const struct dns_health_answer failed = ERROR_OF(failures[_i].error);
    struct dns_health health = {0};

    (void)dns_health_note_test(&health, listed, clean, 0, WELL, ILL);
    for (int i = 0; i < 10; i++) {
        ck_assert(!dns_health_note_answer(&health, failed, 1000));
        ck_assert(!dns_health_note_answer(&health, failed, 1000));
        ck_assert(!dns_health_note_answer(&health, clean, 1000));
    }
    ck_assert(!dns_health_note_answer(&health, failed, 1000));
    ck_assert(!dns_health_note_answer(&health, failed, 1000));
    ck_assert(dns_health_note_answer(&health, failed, 1000));
    ck_assert(!dns_health_note_answer(&health, failed, 1000));
    ck_assert_int_eq(health.state, DNS_HEALTH_ILL);
    ck_assert_uint_eq(health.next_test_usec, ILL);
    ck_assert_ptr_nonnull(strstr(health.reason, failures[_i].reason));
}
END_TEST

/* Faults of our own say nothing about the list, in either direction. */
START_TEST(test_our_own_faults_are_no_failures)
{
    static const struct dns_health_answer own[] = {ERROR_OF(-ENOMEM), ERROR_OF(-ECANCELED)};
    struct dns_health health = {0};

    (void)dns_health_note_test(&health, listed, clean, 0, WELL, ILL);
    for (int i = 0; i < 20; i++)
        ck_assert(!dns_health_note_answer(&health, own[i % 2], 1000));
    ck_assert(!dns_health_note_answer(&health, timed_out, 1000));
    ck_assert(!dns_health_note_answer(&health, timed_out, 1000));
    ck_assert(!dns_health_note_answer(&health, own[0], 1000));
    ck_assert(dns_health_note_answer(&health, timed_out, 1000));
}
END_TEST

#define SLOW DNS_HEALTH_SLOW_USEC

static struct dns_health_answer clean_after(uint64_t took_usec)
{
    return (struct dns_health_answer){.meaning = DNS_ANSWER_CLEAN, .took_usec = took_usec};
}

/* It answers, and so would never be ill; but a quarter of all checks waits for it. */
START_TEST(test_a_slow_list_with_a_crowd_is_set_aside)
{
    struct dns_health health = {0};
    uint64_t now = 1000;

    (void)dns_health_note_test(&health, listed, clean, 0, WELL, ILL);
    ck_assert(!dns_health_note_waiting(&health, DNS_HEALTH_CROWD, now));
    ck_assert_uint_eq(dns_health_crowd_due(&health), UINT64_MAX);
    ck_assert(dns_health_note_waiting(&health, DNS_HEALTH_CROWD + 1, now));
    ck_assert_uint_eq(dns_health_crowd_due(&health), now + SLOW);
    ck_assert(!dns_health_look_at_crowd(&health, now + SLOW - 1));
    (void)dns_health_note_answer(&health, clean_after(4 * SLOW), now + 1);
    ck_assert(dns_health_look_at_crowd(&health, now + SLOW));
    ck_assert_ptr_nonnull(strstr(health.reason, "too slow"));
    ck_assert(!dns_health_look_at_crowd(&health, now + 9 * SLOW));
    /* It is taken back if it is fast again, and not if it only answers. */
    ck_assert(!dns_health_note_test(&health, listed, clean_after(2 * SLOW), now, WELL, ILL));
    ck_assert_int_eq(health.state, DNS_HEALTH_ILL);
    ck_assert(dns_health_note_test(&health, listed, clean_after(SLOW / 2), now, WELL, ILL));
    /* A list that was set aside for another reason need only answer. */
    (void)dns_health_note_test(&health, timed_out, timed_out, now, WELL, ILL);
    ck_assert(dns_health_note_test(&health, listed, clean_after(2 * SLOW), now, WELL, ILL));
}
END_TEST

START_TEST(test_a_crowd_alone_sets_no_list_aside)
{
    struct dns_health health = {0};
    uint64_t now = 1000;

    (void)dns_health_note_test(&health, listed, clean, 0, WELL, ILL);
    (void)dns_health_note_waiting(&health, 4 * DNS_HEALTH_CROWD, now);
    for (int i = 0; i < 10; i++) {
        now = dns_health_crowd_due(&health);
        (void)dns_health_note_answer(&health, clean_after(SLOW / 5), now - 1);
        ck_assert(!dns_health_look_at_crowd(&health, now));
    }
    /* A single look with fewer waiting ends the count. */
    (void)dns_health_note_waiting(&health, DNS_HEALTH_CROWD, now);
    ck_assert(!dns_health_look_at_crowd(&health, now + 9 * SLOW));
}
END_TEST

START_TEST(test_starts_afresh_at_other_name_servers)
{
    struct dns_health health = {0};

    (void)dns_health_note_test(&health, timed_out, timed_out, 1000, WELL, ILL);
    dns_health_start_afresh(&health, 2000);
    ck_assert_uint_eq(health.next_test_usec, 2000);
    ck_assert_int_eq(health.state, DNS_HEALTH_ILL);
    (void)dns_health_note_test(&health, listed, clean, 3000, WELL, ILL);
    (void)dns_health_note_answer(&health, timed_out, 4000);
    (void)dns_health_note_answer(&health, timed_out, 4000);
    dns_health_start_afresh(&health, 5000);
    ck_assert(!dns_health_note_answer(&health, timed_out, 6000));
    ck_assert_uint_eq(health.next_test_usec, 3000 + WELL);
}
END_TEST

START_TEST(test_refusal_sets_aside_at_once)
{
    struct dns_health health = {0};
    const struct dns_health_answer refused = ANSWER_OF(DNS_ANSWER_REFUSED_CODE);

    (void)dns_health_note_test(&health, listed, clean, 0, WELL, ILL);
    ck_assert(dns_health_note_answer(&health, refused, 2 * ILL));
    ck_assert_uint_eq(health.next_test_usec, 2 * ILL);
}
END_TEST

START_TEST(test_nonsense_makes_the_test_come_soon)
{
    struct dns_health health = {0};
    const struct dns_health_answer nonsense = ANSWER_OF(DNS_ANSWER_NOT_A_LIST);

    (void)dns_health_note_test(&health, listed, clean, 1000, WELL, ILL);
    ck_assert(!dns_health_note_answer(&health, nonsense, 2000));
    ck_assert_int_eq(health.state, DNS_HEALTH_WELL);
    ck_assert_uint_eq(health.next_test_usec, 1000 + ILL);
}
END_TEST

START_TEST(test_an_empty_list_is_well_and_shown)
{
    struct dns_health health = {0};

    (void)dns_health_note_test(&health, clean, clean, 0, WELL, ILL);
    ck_assert(health.lacks_test_entry);
    (void)dns_health_note_test(&health, listed, clean, 0, WELL, ILL);
    ck_assert(!health.lacks_test_entry);
}
END_TEST

/* Whatever happens: a change is told when and only when ILL begins or ends, ILL has a reason, and
 * a test comes within the longer interval. */
START_TEST(test_changes_are_told_once)
{
    struct random_source source = random_start();
    struct dns_health health = {0};
    uint64_t now = 0;

    for (int i = 0; i < 100000; i++) {
        bool was_ill = health.state == DNS_HEALTH_ILL;
        struct dns_health_answer answers[2];
        now += random_between(&source, 0, WELL);
        for (size_t j = 0; j < 2; j++)
            answers[j] = (struct dns_health_answer){
                .error = random_between(&source, 0, 1) ? 0 : -ETIMEDOUT,
                .meaning = (enum dns_answer)random_between(&source, 0, DNS_ANSWER_LISTED)};
        bool is_change =
            random_between(&source, 0, 3)
                ? dns_health_note_answer(&health, answers[0], now)
                : dns_health_note_test(&health, answers[0], answers[1], now, WELL, ILL);
        ck_assert_int_eq(is_change, was_ill != (health.state == DNS_HEALTH_ILL));
        ck_assert_int_eq(health.reason != NULL, health.state == DNS_HEALTH_ILL);
        ck_assert_uint_le(health.next_test_usec, now + WELL);
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("dns_health");
    TCase *tables = tcase_create("tables");

    tcase_add_loop_test(tables, test_judges_by_the_test_entries, 0,
                        (int)ELEMENTSOF(tests_of_lists));
    tcase_add_loop_test(tables, test_three_failures_in_a_row, 0, (int)ELEMENTSOF(failures));
    suite_add_tcase(suite, tables);
    ADD_TESTS(suite, "rules", test_our_own_faults_are_no_failures,
              test_a_slow_list_with_a_crowd_is_set_aside, test_a_crowd_alone_sets_no_list_aside,
              test_starts_afresh_at_other_name_servers, test_refusal_sets_aside_at_once,
              test_nonsense_makes_the_test_come_soon, test_an_empty_list_is_well_and_shown,
              test_changes_are_told_once);
    return suite;
}
