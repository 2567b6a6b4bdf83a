/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a worker program says about its PARAMETERs: scripts beside this program play it. */
#include "base/fd.h"
#include "config/load.h"
#include "dispatcherd/config/parameter_check.h"
#include "support/suite.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[PATH_MAX], program[PATH_MAX + 16], said[PATH_MAX + 32], asked[PATH_MAX + 32];
static struct config config;
static struct problem_list problems;

/* A program called `name` that prints `output` and keeps its arguments, in a folder below that of
 * this program: only there it counts as delivered. */
static void make_program(const char *name, const char *output)
{
    FILE *stream;

    snprintf(program, sizeof(program), "%s/%s", folder, name);
    snprintf(said, sizeof(said), "%s/said", folder);
    snprintf(asked, sizeof(asked), "%s/asked", folder);
    ck_assert_ptr_nonnull(stream = fopen(said, "we"));
    fputs(output, stream);
    fclose(stream);
    ck_assert_ptr_nonnull(stream = fopen(program, "we"));
    fprintf(stream, "#!/bin/sh\nfor i; do echo \"$i\"; done >%s\ncat %s\n", asked, said);
    fclose(stream);
    ck_assert_int_eq(chmod(program, 0700), 0);
}

static void set_up(void)
{
    ssize_t length = readlink("/proc/self/exe", folder, sizeof(folder) - 1);

    ck_assert_int_gt(length, 0);
    folder[length] = '\0';
    strcpy(strrchr(folder, '/'), "/check-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void tear_down(void)
{
    config_clear(&config);
    problem_list_clear(&problems);
    unlink(program);
    unlink(said);
    unlink(asked);
    rmdir(folder);
}

/* Checks the services of this dispatcher.cnf, in which "@" stands for the program. */
static void check(const char *text)
{
    const struct config_paths paths = {.worker_dir = "/workers", .config_dir = "/", .log_dir = "/"};
    char path[40];
    int fd = memfd_create("dispatcher.cnf", MFD_CLOEXEC);

    for (; *text; text++)
        ck_assert_int_gt(*text == '@' ? dprintf(fd, "%s", program) : dprintf(fd, "%c", *text), 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ck_assert_int_eq(config_load(path, &paths, &problems, &config), 0);
    problem_list_clear(&problems);
    parameter_check(&config, &problems);
    fd_close(fd);
}

static void check_problem(size_t i, unsigned line, enum problem_severity severity, const char *text)
{
    ck_assert_uint_lt(i, problems.n_items);
    ck_assert_str_eq(problems.items[i].text, text);
    ck_assert_uint_eq(problems.items[i].line, line);
    ck_assert_int_eq(problems.items[i].severity, severity);
}

static const char *arguments(void)
{
    static char text[1024];
    FILE *stream = fopen(asked, "re");
    size_t n = stream ? fread(text, 1, sizeof(text) - 1, stream) : 0;

    text[n] = '\0';
    if (stream)
        fclose(stream);
    return text;
}

START_TEST(test_each_problem_is_that_of_its_line)
{
    make_program("pass", "1 error: not a number\n- warning: odd in all\n0 warning: late\n");
    check("[SERVICE=A]\nPORT=25\nIMAGE=@\nPARAMETER=TO=/x\nPARAMETER=TIMEOUT=x\n");
    ck_assert_uint_eq(problems.n_items, 3);
    check_problem(0, 5, PROBLEM_ERROR, "not a number");
    check_problem(1, 3, PROBLEM_WARNING, "odd in all");
    check_problem(2, 4, PROBLEM_WARNING, "late");
}
END_TEST

START_TEST(test_it_learns_what_else_matters)
{
    make_program("proxy", "");
    check("[SERVICE=A]\nPORT=25\nTLS_PORT=465\nPROXY_PROTOCOL=1\nPROXY_UPSTREAMS=192.0.2.1\n"
          "IMAGE=@\nPARAMETER=--TO=/x y\n");
    ck_assert_uint_eq(problems.n_items, 0);
    ck_assert_str_eq(arguments(), "--check-parameters\nPROXY_PROTOCOL\nTLS_PORT\n--\n--TO=/x y\n");
}
END_TEST

/* A line before the first section is that of several services. */
START_TEST(test_the_same_is_reported_once)
{
    make_program("pass", "0 error: bad\n");
    check("PARAMETER=TO=x\n[SERVICE=A]\nPORT=25\nIMAGE=@\n[SERVICE=B]\nPORT=26\nIMAGE=@\n");
    ck_assert_uint_eq(problems.n_items, 1);
    check_problem(0, 1, PROBLEM_ERROR, "bad");
}
END_TEST

/* Whatever it prints, the daemon takes no harm from it. */
START_TEST(test_what_is_no_problem_is_left_out)
{
    make_program("pass", "\nhello\n0 error\n0 fatal: x\n99 error: far off\n-1 error: negative\n");
    check("[SERVICE=A]\nPORT=25\nIMAGE=@\nPARAMETER=TO=/x\n");
    ck_assert_uint_eq(problems.n_items, 2);
    check_problem(0, 3, PROBLEM_ERROR, "far off");
    check_problem(1, 3, PROBLEM_ERROR, "negative");
}
END_TEST

/* It may do anything with such arguments. */
START_TEST(test_a_program_of_others_is_not_run)
{
    make_program("another", "0 error: bad\n");
    check("[SERVICE=A]\nPORT=25\nIMAGE=@\nPARAMETER=TO=/x\n");
    ck_assert_uint_eq(problems.n_items, 0);
    ck_assert_int_eq(access(asked, F_OK), -1);
}
END_TEST

START_TEST(test_a_program_of_the_same_name_elsewhere_is_not_run)
{
    char elsewhere[] = "/tmp/check-XXXXXX";

    ck_assert_ptr_nonnull(mkdtemp(elsewhere));
    rmdir(folder);
    strcpy(folder, elsewhere);
    make_program("pass", "0 error: bad\n");
    check("[SERVICE=A]\nPORT=25\nIMAGE=@\nPARAMETER=TO=/x\n");
    ck_assert_uint_eq(problems.n_items, 0);
    ck_assert_int_eq(access(asked, F_OK), -1);
}
END_TEST

START_TEST(test_a_service_that_is_off_is_not_checked)
{
    make_program("pass", "0 error: bad\n");
    check("[SERVICE=A]\nPORT=25\nENABLE=0\nIMAGE=@\nPARAMETER=TO=/x\n[SERVICE=B]\nPORT=26\n"
          "IMAGE=/bin/true\n");
    ck_assert_uint_eq(problems.n_items, 0);
}
END_TEST

SUITE("parameter_check", set_up, tear_down, test_each_problem_is_that_of_its_line,
      test_it_learns_what_else_matters, test_the_same_is_reported_once,
      test_what_is_no_problem_is_left_out, test_a_program_of_others_is_not_run,
      test_a_program_of_the_same_name_elsewhere_is_not_run,
      test_a_service_that_is_off_is_not_checked)
