/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reading the configuration within a time limit; a pipe without input stands for a file system that
 * does not respond. */
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/config/config_reading.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_USEC (10 * USEC_PER_SEC)

static char folder[] = "/tmp/reading-XXXXXX";
static char config_file[64], mapping_file[64];
static struct problem_list problems;
static struct config_version *version;

static void write_file(const char *path, const char *text)
{
    FILE *stream = fopen(path, "we");

    ck_assert_ptr_nonnull(stream);
    ck_assert_int_ge(fputs(text, stream), 0);
    fclose(stream);
}

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(config_file, sizeof(config_file), "%s/dispatcher.cnf", folder);
    snprintf(mapping_file, sizeof(mapping_file), "%s/mappings", folder);
    write_file(config_file, "[SERVICE=SMTP]\nPORT=25\nIMAGE=/bin/true\n");
    write_file(mapping_file, "PORT_ACCESS\n\n  *  $Y\n");
}

static void tear_down(void)
{
    config_version_unref(version);
    problem_list_clear(&problems);
    unlink(config_file);
    unlink(mapping_file);
    rmdir(folder);
}

static int read_files(bool check_images, uint64_t limit_usec)
{
    problem_list_clear(&problems);
    return config_reading_read(config_file, mapping_file, check_images, limit_usec, &problems,
                               &version);
}

START_TEST(test_reads_both_files)
{
    ck_assert_int_eq(read_files(true, LIMIT_USEC), 0);
    ck_assert_uint_eq(version->config.n_services, 1);
    ck_assert_ptr_nonnull(mapping_set_find(version->mappings, MAPPING_PORT_ACCESS));
    ck_assert_int_ge(version->mapping_copy, 0);
    ck_assert_uint_eq(problems.n_items, 0);
}
END_TEST

/* Also those of the second file, if the first has some. */
START_TEST(test_reports_the_errors_of_both)
{
    write_file(config_file, "[SERVICE=SMTP]\nPORT=x\nIMAGE=/bin/true\n");
    write_file(mapping_file, "  an entry without a table\n");
    ck_assert_int_eq(read_files(true, LIMIT_USEC), -EINVAL);
    ck_assert_ptr_null(version);
    bool has_config = false, has_mapping = false;
    for (size_t i = 0; i < problems.n_items; i++) {
        has_config |= strcmp(problems.items[i].file, config_file) == 0;
        has_mapping |= strcmp(problems.items[i].file, mapping_file) == 0;
    }
    ck_assert(has_config);
    ck_assert(has_mapping);
}
END_TEST

START_TEST(test_programs_are_looked_at_on_request)
{
    write_file(config_file, "[SERVICE=SMTP]\nPORT=25\nIMAGE=/nonexistent/smtp\n");
    ck_assert_int_eq(read_files(true, LIMIT_USEC), -EINVAL);
    ck_assert_int_eq(read_files(false, LIMIT_USEC), 0);
}
END_TEST

/* Until it responds again, each further reading fails at once, also of files that do respond. */
START_TEST(test_what_does_not_respond_is_an_error_and_no_wait)
{
    char path[32];
    int fds[2], r;

    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
    ck_assert_int_eq(
        config_reading_read(config_file, path, true, 100 * USEC_PER_MSEC, &problems, &version),
        -ETIMEDOUT);
    ck_assert_uint_eq(problems.n_errors, 1);
    ck_assert_ptr_nonnull(strstr(problems.items[0].text, "cannot read the configuration within"));
    uint64_t before = time_now_usec(CLOCK_MONOTONIC);
    ck_assert_int_eq(read_files(true, LIMIT_USEC), -ETIMEDOUT);
    ck_assert_uint_lt(time_now_usec(CLOCK_MONOTONIC), before + LIMIT_USEC);
    ck_assert_ptr_null(version);
    fd_close(fds[1]);
    while ((r = read_files(true, LIMIT_USEC)) == -ETIMEDOUT)
        ;
    ck_assert_int_eq(r, 0);
    ck_assert_uint_eq(version->config.n_services, 1);
    fd_close(fds[0]);
}
END_TEST

SUITE("config_reading", set_up, tear_down, test_reads_both_files, test_reports_the_errors_of_both,
      test_programs_are_looked_at_on_request, test_what_does_not_respond_is_an_error_and_no_wait)
