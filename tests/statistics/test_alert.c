/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "statistics/alert.h"
#include "support/random.h"
#include "support/suite.h"

#include "base/time.h"

#define START (1000 * USEC_PER_SEC)

static const struct alert_rule rule = {
    .high = 10, .low = 4, .raise_usec = 2 * USEC_PER_SEC, .clear_usec = 5 * USEC_PER_SEC};

static struct alert alert;

static enum alert_change at(unsigned sec, uint64_t value)
{
    return alert_update(&alert, &rule, value, START + sec * USEC_PER_SEC);
}

START_TEST(test_what_lasts_is_raised_and_cleared)
{
    ck_assert_int_eq(at(0, 10), ALERT_SAME);
    ck_assert_uint_eq(alert_due(&alert, &rule), START + 2 * USEC_PER_SEC);
    ck_assert_int_eq(at(1, 30), ALERT_SAME);
    ck_assert_int_eq(at(2, 10), ALERT_RAISED);
    ck_assert_uint_eq(alert_due(&alert, &rule), USEC_INFINITY);
    ck_assert_int_eq(at(3, 12), ALERT_SAME);
    ck_assert_uint_eq(alert_duration(&alert, START + 3 * USEC_PER_SEC), 3 * USEC_PER_SEC);
    ck_assert_int_eq(at(4, 4), ALERT_SAME);
    ck_assert_uint_eq(alert_due(&alert, &rule), START + 9 * USEC_PER_SEC);
    ck_assert_int_eq(at(9, 0), ALERT_CLEARED);
    ck_assert_uint_eq(alert_due(&alert, &rule), USEC_INFINITY);
    /* Without the span that it took to be sure. */
    ck_assert_uint_eq(alert_duration(&alert, START + 100 * USEC_PER_SEC), 4 * USEC_PER_SEC);
    ck_assert_uint_eq(alert.worst, 30);
}
END_TEST

START_TEST(test_a_moment_is_nothing)
{
    at(0, 100);
    ck_assert_int_eq(at(1, 9), ALERT_SAME);
    ck_assert_uint_eq(alert_due(&alert, &rule), USEC_INFINITY);
    ck_assert_int_eq(at(2, 10), ALERT_SAME);
    ck_assert_int_eq(at(4, 10), ALERT_RAISED);
    ck_assert_uint_eq(alert.worst, 10);
}
END_TEST

START_TEST(test_what_wavers_is_one_alert)
{
    at(0, 10);
    ck_assert_int_eq(at(2, 10), ALERT_RAISED);
    for (unsigned sec = 3; sec < 100; sec += 4) {
        ck_assert_int_eq(at(sec, 0), ALERT_SAME);
        ck_assert_int_eq(at(sec + 3, sec % 8 < 4 ? 5 : 20), ALERT_SAME);
    }
}
END_TEST

START_TEST(test_without_a_span_it_is_raised_at_once)
{
    const struct alert_rule hasty = {.high = 1, .low = 0};

    ck_assert_int_eq(alert_update(&alert, &hasty, 1, START), ALERT_RAISED);
    ck_assert_int_eq(alert_update(&alert, &hasty, 1, START), ALERT_SAME);
    ck_assert_int_eq(alert_update(&alert, &hasty, 0, START), ALERT_CLEARED);
    ck_assert_int_eq(alert_update(&alert, &hasty, 0, START), ALERT_SAME);
}
END_TEST

START_TEST(test_an_end_is_at_once)
{
    ck_assert_int_eq(alert_end(&alert, START), ALERT_SAME);
    at(0, 10);
    ck_assert_int_eq(alert_end(&alert, START), ALERT_SAME);
    at(1, 10);
    ck_assert_int_eq(at(3, 10), ALERT_RAISED);
    ck_assert_int_eq(alert_end(&alert, START + 4 * USEC_PER_SEC), ALERT_CLEARED);
    ck_assert_uint_eq(alert_duration(&alert, START + 9 * USEC_PER_SEC), 3 * USEC_PER_SEC);
    ck_assert_int_eq(alert_end(&alert, START + 5 * USEC_PER_SEC), ALERT_SAME);
}
END_TEST

START_TEST(test_a_pause_begins_another_row)
{
    struct alert_row row = {0};

    ck_assert_uint_eq(alert_row_note(&row, 10, START), 1);
    ck_assert_uint_eq(alert_row_note(&row, 10, START + 10), 2);
    ck_assert_uint_eq(alert_row_note(&row, 10, START + 20), 3);
    ck_assert_uint_eq(alert_row_note(&row, 10, START + 31), 1);
}
END_TEST

/* One history: the value changes as it likes, and whoever keeps it updates at each change and when
 * an update is due, as the daemon does. What must hold is checked against the history itself. */
struct history_of_values {
    struct random_source *source;
    struct alert_rule rule;
    struct alert alert;
    uint64_t now;
    uint64_t value;
    uint64_t high_since; /* 0: it is not */
    uint64_t low_since;
    uint64_t raised_at; /* when we were told; 0: never */
    uint64_t worst;     /* since the value was high without a break, or we were told */
    bool is_raised;     /* as we were told */
};

static void check_change(struct history_of_values *history, enum alert_change change)
{
    const struct alert_rule *of = &history->rule;

    switch (change) {
    case ALERT_RAISED:
        ck_assert(!history->is_raised);
        ck_assert(history->high_since > 0);
        ck_assert_uint_eq(history->now, history->high_since + of->raise_usec);
        /* It flaps no faster than its spans allow. */
        if (history->raised_at > 0)
            ck_assert_uint_ge(history->now - history->raised_at, of->raise_usec + of->clear_usec);
        history->is_raised = true;
        history->raised_at = history->now;
        break;
    case ALERT_CLEARED:
        ck_assert(history->is_raised);
        ck_assert(history->low_since > 0);
        ck_assert_uint_ge(history->now, history->low_since + of->clear_usec);
        ck_assert_uint_eq(history->alert.worst, history->worst);
        history->is_raised = false;
        break;
    case ALERT_SAME:
        break;
    }
    ck_assert(history->alert.is_raised == history->is_raised);
    /* What lasts is told in time, either way. */
    if (history->high_since > 0 && history->now >= history->high_since + of->raise_usec)
        ck_assert(history->is_raised);
    if (history->low_since > 0 && history->now >= history->low_since + of->clear_usec)
        ck_assert(!history->is_raised);
}

static void set_value(struct history_of_values *history, uint64_t value)
{
    bool is_high = value >= history->rule.high, is_low = value <= history->rule.low;

    if (!history->is_raised && is_high && history->high_since == 0)
        history->worst = 0;
    if (!is_high)
        history->high_since = 0;
    else if (history->high_since == 0)
        history->high_since = history->now;
    if (!is_low)
        history->low_since = 0;
    else if (history->low_since == 0)
        history->low_since = history->now;
    if ((history->is_raised || is_high) && value > history->worst)
        history->worst = value;
    history->value = value;
    check_change(history, alert_update(&history->alert, &history->rule, value, history->now));
}

/* Time goes by until `until`; what is due on the way is done, and not one microsecond late. */
static void pass_time(struct history_of_values *history, uint64_t until)
{
    for (;;) {
        uint64_t due = alert_due(&history->alert, &history->rule);

        if (due > until)
            break;
        ck_assert_uint_gt(due, history->now);
        history->now = due;
        set_value(history, history->value);
    }
    history->now = until;
}

static uint64_t some_value(struct history_of_values *history)
{
    const struct alert_rule *of = &history->rule;

    switch (random_between(history->source, 0, 3)) {
    case 0:
        return random_between(history->source, 0, of->low);
    case 1:
        return random_between(history->source, of->low, of->high);
    case 2:
        return random_between(history->source, of->high, of->high * 3);
    default:
        return history->value;
    }
}

START_TEST(test_random_histories)
{
    struct random_source source = random_start();
    unsigned n_raised = 0;

    for (unsigned round = 0; round < 5000; round++) {
        uint64_t low = random_between(&source, 0, 20);
        struct history_of_values history = {
            .source = &source,
            .rule = {.low = low,
                     .high = low + random_between(&source, 1, 20),
                     .raise_usec = random_between(&source, 0, 3) * 1000,
                     .clear_usec = random_between(&source, 1, 10) * 1000},
            .now = START,
        };

        set_value(&history, 0);
        for (unsigned i = 0; i < 200; i++) {
            pass_time(&history, history.now + random_between(&source, 1, 6000));
            bool was_raised = history.is_raised;
            set_value(&history, some_value(&history));
            n_raised += history.is_raised && !was_raised;
        }
        /* Whatever came before. */
        set_value(&history, history.rule.high);
        pass_time(&history, history.now + history.rule.raise_usec);
        ck_assert(history.is_raised);
        set_value(&history, history.rule.low);
        pass_time(&history, history.now + history.rule.clear_usec);
        ck_assert(!history.is_raised);
        ck_assert_uint_eq(alert_due(&history.alert, &history.rule), USEC_INFINITY);
    }
    ck_assert_uint_gt(n_raised, 1000);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("alert");

    ADD_TESTS(suite, "alert", test_what_lasts_is_raised_and_cleared, test_a_moment_is_nothing,
              test_what_wavers_is_one_alert, test_without_a_span_it_is_raised_at_once,
              test_an_end_is_at_once);
    ADD_TESTS(suite, "row", test_a_pause_begins_another_row);
    ADD_TESTS(suite, "properties", test_random_histories);
    return suite;
}
