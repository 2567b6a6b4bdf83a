/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The service of these tests has no unit here: no generator writes one of such a name. */
#include "base/macro.h"
#include "dispatcherd/config/fingerprint.h"
#include "support/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test_fingerprint.XXXXXX";
static char image[64], other[64];
static char unit_name[] = "test_fingerprint_none";
static struct service_options options;

static void write_file(const char *path, const char *text)
{
    FILE *stream = fopen(path, "we");

    ck_assert_ptr_nonnull(stream);
    ck_assert_int_ge(fputs(text, stream), 0);
    ck_assert_int_eq(fclose(stream), 0);
}

/* Sets the time of the last change, so that it does not depend on how fast the test is. */
static void date_file(const char *path, time_t sec, long nsec)
{
    const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = sec, .tv_nsec = nsec}};

    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void set_up(void)
{
    snprintf(folder + sizeof(folder) - 7, 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(image, sizeof(image), "%s/worker", folder);
    snprintf(other, sizeof(other), "%s/other", folder);
    write_file(image, "first");
    date_file(image, 1000, 0);
    options = (struct service_options){
        .unit_name = unit_name, .image = image, .max_conns = 20, .stacksize_bytes = 65536};
    ck_assert_int_eq(str_list_append(&options.parameters, "ab"), 0);
    ck_assert_int_eq(str_list_append(&options.parameters, "c"), 0);
}

static void tear_down(void)
{
    str_list_clear(&options.parameters);
    unlink(image);
    unlink(other);
    rmdir(folder);
}

static void set_parameters(const char *const parameters[])
{
    str_list_clear(&options.parameters);
    for (size_t i = 0; parameters[i]; i++)
        ck_assert_int_eq(str_list_append(&options.parameters, parameters[i]), 0);
}

START_TEST(test_is_the_same_as_long_as_nothing_changes)
{
    ck_assert_uint_eq(fingerprint_of(&options), fingerprint_of(&options));
}
END_TEST

START_TEST(test_what_a_worker_is_not_started_with_does_not_matter)
{
    uint64_t before = fingerprint_of(&options);

    options.min_procs = 7;
    options.max_procs = 8;
    options.max_life_conns = 9;
    options.backlog = 10;
    options.debug = 11;
    ck_assert_uint_eq(fingerprint_of(&options), before);
}
END_TEST

START_TEST(test_differs_with_each_option)
{
    static char logfile[] = "/logs/a", other_logfile[] = "/logs/b", no_logfile[] = "";
    uint64_t before = fingerprint_of(&options);

    options.max_conns++;
    ck_assert_uint_ne(fingerprint_of(&options), before);
    options.max_conns--;
    options.stacksize_bytes = 0;
    ck_assert_uint_ne(fingerprint_of(&options), before);
    options.stacksize_bytes = 65536;
    options.logfile = no_logfile;
    ck_assert_uint_eq(fingerprint_of(&options), before);
    options.logfile = logfile;
    uint64_t with_logfile = fingerprint_of(&options);
    ck_assert_uint_ne(with_logfile, before);
    options.logfile = other_logfile;
    ck_assert_uint_ne(fingerprint_of(&options), with_logfile);
    options.logfile = NULL;
    ck_assert_uint_eq(fingerprint_of(&options), before);
    write_file(other, "first");
    date_file(other, 1000, 0);
    options.image = other;
    ck_assert_uint_ne(fingerprint_of(&options), before);
}
END_TEST

START_TEST(test_differs_with_the_parameters_and_their_order)
{
    static const char *const cases[][4] = {
        {"ab", "c"}, {"a", "bc"}, {"abc"}, {"c", "ab"}, {"ab"}, {"ab", "c", ""}, {NULL}, {""},
    };
    uint64_t seen[ELEMENTSOF(cases)];

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        set_parameters(cases[i]);
        seen[i] = fingerprint_of(&options);
        for (size_t k = 0; k < i; k++)
            ck_assert_msg(seen[i] != seen[k], "cases %zu and %zu", k, i);
    }
}
END_TEST

START_TEST(test_differs_when_the_program_is_written_anew)
{
    uint64_t before = fingerprint_of(&options);

    write_file(image, "longer than before");
    date_file(image, 1000, 0);
    uint64_t longer = fingerprint_of(&options);
    ck_assert_uint_ne(longer, before);
    date_file(image, 1001, 0);
    ck_assert_uint_ne(fingerprint_of(&options), longer);
    date_file(image, 1000, 1);
    ck_assert_uint_ne(fingerprint_of(&options), longer);
    date_file(image, 1000, 0);
    ck_assert_uint_eq(fingerprint_of(&options), longer);
}
END_TEST

/* As package managers do it; size and time may be the same. */
START_TEST(test_differs_when_another_program_takes_its_place)
{
    uint64_t before = fingerprint_of(&options);

    write_file(other, "other");
    date_file(other, 1000, 0);
    ck_assert_int_eq(rename(other, image), 0);
    ck_assert_uint_ne(fingerprint_of(&options), before);
}
END_TEST

START_TEST(test_a_program_that_is_missing_has_a_number_too)
{
    uint64_t before = fingerprint_of(&options);

    ck_assert_int_eq(unlink(image), 0);
    ck_assert_uint_ne(fingerprint_of(&options), before);
    ck_assert_uint_eq(fingerprint_of(&options), fingerprint_of(&options));
}
END_TEST

START_TEST(test_differs_with_the_text_of_the_unit)
{
    uint64_t none = fingerprint_of(&options);

    ck_assert_uint_eq(fingerprint_planned(&options, ""), none);
    uint64_t planned = fingerprint_planned(&options, "[Service]\nExecStart=/bin/true\n");
    ck_assert_uint_ne(planned, none);
    ck_assert_uint_eq(fingerprint_planned(&options, "[Service]\nExecStart=/bin/true\n"), planned);
    ck_assert_uint_ne(fingerprint_planned(&options, "[Service]\nExecStart=/bin/tru\n"), planned);
    options.max_conns++;
    ck_assert_uint_ne(fingerprint_planned(&options, "[Service]\nExecStart=/bin/true\n"), planned);
}
END_TEST

/* During a daemon-reload there is none for a moment. */
START_TEST(test_a_unit_that_is_missing_is_no_difference)
{
    uint64_t none = fingerprint_of(&options);
    uint64_t one = fingerprint_planned(&options, "[Service]\nUser=one\n");
    uint64_t two = fingerprint_planned(&options, "[Service]\nUser=two\n");

    ck_assert(!fingerprint_differs(none, none));
    ck_assert(!fingerprint_differs(one, one));
    ck_assert(!fingerprint_differs(none, one));
    ck_assert(!fingerprint_differs(two, none));
    ck_assert(fingerprint_differs(one, two));
    ck_assert_uint_eq(fingerprint_join(none, one), one);
    ck_assert_uint_eq(fingerprint_join(one, none), one);
    options.max_conns++;
    ck_assert(fingerprint_differs(none, fingerprint_of(&options)));
    ck_assert(fingerprint_differs(one, fingerprint_of(&options)));
    ck_assert(fingerprint_differs(one, fingerprint_planned(&options, "[Service]\nUser=one\n")));
    ck_assert(fingerprint_differs(0, none));
}
END_TEST

SUITE("fingerprint", set_up, tear_down, test_is_the_same_as_long_as_nothing_changes,
      test_what_a_worker_is_not_started_with_does_not_matter, test_differs_with_each_option,
      test_differs_with_the_parameters_and_their_order,
      test_differs_when_the_program_is_written_anew,
      test_differs_when_another_program_takes_its_place,
      test_a_program_that_is_missing_has_a_number_too, test_differs_with_the_text_of_the_unit,
      test_a_unit_that_is_missing_is_no_difference)
