/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/random.h"
#include "support/suite.h"
#include "web/page/plot.h"
#include "web/written.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *drawn(const struct plot *plot)
{
    FILE *stream = written_begin();

    plot_write(stream, plot);
    return written_end();
}

static unsigned count(const char *text, const char *part)
{
    unsigned n = 0;

    for (; (text = strstr(text, part)); text++)
        n++;
    return n;
}

START_TEST(test_scales_are_round_numbers)
{
    ck_assert_double_eq(plot_scale(0), 1);
    ck_assert_double_eq(plot_scale(1), 1);
    ck_assert_double_eq(plot_scale(1.5), 2);
    ck_assert_double_eq(plot_scale(3), 5);
    ck_assert_double_eq(plot_scale(7), 10);
    ck_assert_double_eq(plot_scale(11), 20);
    ck_assert_double_eq(plot_scale(500), 500);
    ck_assert(isfinite(plot_scale(INFINITY)));
}
END_TEST

START_TEST(test_a_plot_of_nothing_says_so)
{
    char *text = drawn(&(struct plot){.title = "Rate", .to_usec = 100});

    ck_assert_uint_eq(count(text, "class=\"line\""), 0);
    ck_assert_ptr_nonnull(strstr(text, "<b>–</b>"));
    free(text);
}
END_TEST

START_TEST(test_a_gap_parts_the_line)
{
    static const struct sample_point points[] = {
        {.at_usec = 0, .value = 1},
        {.at_usec = 10, .value = 2, .is_joined = true},
        {.at_usec = 50, .value = 2},
        {.at_usec = 60, .value = 0, .is_joined = true},
    };
    char *text =
        drawn(&(struct plot){.title = "Active", .points = points, .n_points = 4, .to_usec = 100});

    ck_assert_ptr_nonnull(strstr(text, "class=\"line\" d=\"M0.0 40.0h0L36.0 0.0M180.0 0.0h0L216.0 "
                                       "80.0\""));
    ck_assert_uint_eq(count(text, "80.0Z"), 2);
    free(text);
}
END_TEST

START_TEST(test_the_limit_is_drawn_where_the_curve_comes_near)
{
    struct sample_point point = {.value = 40};
    struct plot plot = {
        .title = "Active", .points = &point, .n_points = 1, .to_usec = 100, .limit = 60};
    char *text = drawn(&plot);

    ck_assert_uint_eq(count(text, "class=\"limit\""), 1);
    free(text);
    point.value = 4;
    text = drawn(&plot);
    ck_assert_uint_eq(count(text, "class=\"limit\""), 0);
    free(text);
}
END_TEST

START_TEST(test_titles_are_escaped)
{
    char *text = drawn(&(struct plot){.title = "\"><script>", .to_usec = 100});

    ck_assert_uint_eq(count(text, "<script"), 0);
    free(text);
}
END_TEST

/* Whatever the points: no number that is none, and nothing outside the drawing. */
START_TEST(test_curves_stay_inside)
{
    struct random_source source = random_start();
    static struct sample_point points[SAMPLES_MAX];

    for (unsigned round = 0; round < 200; round++) {
        size_t n = random_between(&source, 0, SAMPLES_MAX);
        uint64_t at = 0;

        for (size_t i = 0; i < n; i++)
            points[i] = (struct sample_point){
                .at_usec = at += random_between(&source, 1, 100),
                .value = (double)random_between(&source, 0, UINT32_MAX),
                .is_joined = random_between(&source, 0, 1),
            };
        uint64_t from = random_between(&source, 0, at + 1);
        char *text = drawn(&(struct plot){.title = "Active",
                                          .points = points,
                                          .n_points = n,
                                          .from_usec = from,
                                          .to_usec = random_between(&source, from, at + 1)});
        ck_assert_uint_eq(count(text, "nan") + count(text, "inf") + count(text, "L-"), 0);
        free(text);
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("plot");

    ADD_TESTS(suite, "drawing", test_scales_are_round_numbers, test_a_plot_of_nothing_says_so,
              test_a_gap_parts_the_line, test_the_limit_is_drawn_where_the_curve_comes_near,
              test_titles_are_escaped);
    ADD_TESTS(suite, "properties", test_curves_stay_inside);
    return suite;
}
