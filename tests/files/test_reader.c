/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "config/fixture.h"
#include "support/suite.h"

#include "base/macro.h"
#include "config/load.h"
#include "files/reader.h"
#include "mapping/lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct fixture fixture;

static void setup(void)
{
    fixture_start(&fixture);
}

static void teardown(void)
{
    fixture_stop(&fixture);
}

/* Reads dispatcher.cnf by the rules, and returns its lines as "NUMBER:TEXT|", "NUMBER:BROKEN|" for
 * bad ones. If columns count, an indented line's text follows a blank, and blank lines are shown.
 */
static const char *read_lines_by(const struct reader_rules *rules)
{
    static char all[4096];
    struct str_buffer buffer = str_buffer_init(all, sizeof(all));
    struct str_list files = {0};
    struct reader reader;
    struct line line;

    problem_list_clear(&fixture.problems);
    int r = reader_open(&reader, rules, fixture_path(&fixture, "dispatcher.cnf"), &fixture.paths,
                        &fixture.problems, &files);
    ck_assert_int_eq(r, 0);
    while ((r = reader_next(&reader, &line)) > 0)
        if (line.kind != LINE_BLANK || rules->has_columns)
            str_buffer_add(&buffer, "%u:%s%.60s|", line.number,
                           rules->has_columns && line.is_indented ? " " : "",
                           line.kind == LINE_BROKEN ? "BROKEN" : line.text);
    ck_assert_int_eq(r, 0);
    reader_close(&reader);
    str_list_clear(&files);
    return all;
}

static const char *read_lines(void)
{
    return read_lines_by(&config_line_rules);
}

START_TEST(test_makes_lines_of_bytes)
{
    static const struct {
        const char *text, *lines;
    } cases[] = {
        {"", ""},
        {"\n\n", ""},
        {"a", "1:a|"},
        {"a\nb\n", "1:a|2:b|"},
        {"a\r\nb\r\n\r\n", "1:a|2:b|"},
        {"a\rb\n", "1:a\rb|"},
        {"a\r", "1:a|"},
        {"a\r\r\nb\r\r", "1:a|2:b|"},
        {"\ra\n", "1:\ra|"},
        {"a \r\n", "1:a|"},
        {"a\\\r\r\nb", "1:ab|"},
        {"a\\\r", "1:BROKEN|"},
        {" \ta \t\n", "1:a|"},
        {"! a\n ; b\n\t# c\na ! b\n", "4:a ! b|"},
        {"a\\\nb\n", "1:ab|"},
        {"a\\\r\n  b\r\nc\n", "1:ab|3:c|"},
        {"a \\\n \t b\\\n\\\n c\nd", "1:a bc|5:d|"},
        {"a\\\n\nb\n", "1:a|3:b|"},
        {"a\\\n! b\n", "1:a! b|"},
        {"! a\\\nb\n", "2:b|"},
        {"  ! a\\\nb\n", "2:b|"},
        {"a\\\\\nb\n", "1:a\\b|"},
        {"[x]\na=\\\n", "1:[x]|2:BROKEN|"},
        {"a\\", "1:BROKEN|"},
        {"! a\\", ""},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        fixture_write(&fixture, "dispatcher.cnf", cases[i].text);
        ck_assert_str_eq(read_lines(), cases[i].lines);
        ck_assert_uint_eq(fixture.problems.n_errors,
                          strstr(cases[i].lines, "BROKEN") != NULL ? 1 : 0);
    }
}
END_TEST

START_TEST(test_names_characters_that_nobody_sees)
{
    static const struct {
        const char *text, *lines, *problem;
    } cases[] = {
        {"\xef\xbb\xbf"
         "a\n",
         "1:a|", NULL},
        {"\xef\xbb\xbf! comment\na\n", "2:a|", NULL},
        {"a\n\xef\xbb\xbf"
         "b\n",
         "1:a|2:\xef\xbb\xbf"
         "b|",
         "dispatcher.cnf:2: warning: character 1 of the line is a byte order mark"},
        {"PORT=25\xc2\xa0\n", "1:PORT=25\xc2\xa0|",
         "dispatcher.cnf:1: warning: character 8 of the line is a no-break space"},
        {"a\\\n b\xe2\x80\x8b\n", "1:ab\xe2\x80\x8b|", "dispatcher.cnf:2: warning: character 3 of"},
        {"# \xc2\xa0\na\n", "2:a|", NULL},
        {"# comment\ra\rb\n", "",
         "dispatcher.cnf:1: warning: character 10 of the line is a carriage"},
        {"a\r\n\r\nb\r\r\n", "1:a|3:b|", NULL},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        fixture_write(&fixture, "dispatcher.cnf", cases[i].text);
        ck_assert_str_eq(read_lines(), cases[i].lines);
        ck_assert_uint_eq(fixture.problems.n_items, cases[i].problem ? 1 : 0);
        if (cases[i].problem)
            ck_assert_msg(fixture_said(&fixture, cases[i].problem), "%s",
                          fixture_problems(&fixture));
    }
}
END_TEST

/* Where the two files differ, and where they do not. */
START_TEST(test_reads_a_mapping_file_by_columns)
{
    static const struct {
        const char *text, *lines;
        unsigned n_warnings;
    } cases[] = {
        {"A\n\n  p t\n", "1:A|2:|3: p t|", 0},
        {"A\r\n\r\n\tp t\r\n", "1:A|2:|3: p t|", 0},
        {"A\r\r\n p t\r\r", "1:A|2: p t|", 0},
        {" p t \n", "1: p t |", 0},
        {"! a\n; b\n # c\n ! d\n", "3: # c|4: ! d|", 0},
        {" p t\\\r\n  u\n", "1: p tu|", 0},
        {" p t\\\n  q u\n", "1: p tq u|", 1},
        {" p t\\ \n q u\n", "1: p t\\ |2: q u|", 1},
        {" p\rt\n", "1: p\rt|", 1},
        {" p t\\", "1: p t|", 1},
        {" p t\\\r", "1: p t|", 1},
        {"! a\\\n p t\n", "2: p t|", 0},
        {" <missing\n", "1: <missing|", 0},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        fixture_write(&fixture, "dispatcher.cnf", cases[i].text);
        ck_assert_str_eq(read_lines_by(&mapping_line_rules), cases[i].lines);
        ck_assert_uint_eq(fixture.problems.n_errors, 0);
        ck_assert_msg(fixture.problems.n_warnings == cases[i].n_warnings, "%zu: %s", i,
                      fixture_problems(&fixture));
    }
}
END_TEST

START_TEST(test_a_comment_has_no_limit_and_no_nul)
{
    static const struct reader_rules *const all[] = {&config_line_rules, &mapping_line_rules};
    static const char nul[] = "! \0\nb\n";
    char *text = malloc(CONFIG_LINE_MAX + 10);

    memset(text, '!', CONFIG_LINE_MAX + 2);
    strcpy(text + CONFIG_LINE_MAX + 2, "\\\nb\n");
    for (size_t i = 0; i < ELEMENTSOF(all); i++) {
        fixture_write(&fixture, "dispatcher.cnf", text);
        ck_assert_str_eq(read_lines_by(all[i]), "2:b|");
        ck_assert_uint_eq(fixture.problems.n_errors, 0);
        fixture_write_bytes(&fixture, "dispatcher.cnf", nul, sizeof(nul) - 1);
        ck_assert_str_eq(read_lines_by(all[i]), "1:BROKEN|2:b|");
        ck_assert(fixture_said(&fixture, "dispatcher.cnf:1: error: the line contains a NUL byte"));
    }
    free(text);
}
END_TEST

START_TEST(test_a_mapping_line_that_is_too_long_is_one_error)
{
    char text[MAPPING_LINE_MAX + 20];

    memset(text, 'x', MAPPING_LINE_MAX);
    strcpy(text + MAPPING_LINE_MAX, "xx\\\nb\nc");
    fixture_write(&fixture, "dispatcher.cnf", text);
    ck_assert_str_eq(read_lines_by(&mapping_line_rules), "1:BROKEN|3:c|");
    ck_assert_uint_eq(fixture.problems.n_errors, 1);
    ck_assert(fixture_said(&fixture, "dispatcher.cnf:1: error: the line has more than 4096"));
}
END_TEST

START_TEST(test_says_that_a_file_ends_in_a_continued_line)
{
    fixture_write(&fixture, "dispatcher.cnf", "a\nb\\\nc\\\n");
    ck_assert_str_eq(read_lines(), "1:a|2:BROKEN|");
    ck_assert(fixture_said(&fixture, "dispatcher.cnf:2: error: the file ends after a backslash"));
}
END_TEST

START_TEST(test_warns_of_a_blank_after_the_backslash)
{
    fixture_write(&fixture, "dispatcher.cnf", "a\\ \nb\n");
    ck_assert_str_eq(read_lines(), "1:a\\|2:b|");
    ck_assert(fixture_said(&fixture, "dispatcher.cnf:1: warning: a blank after the backslash"));
}
END_TEST

START_TEST(test_refuses_nul_bytes_and_goes_on)
{
    static const char text[] = "a\nb\0c\n!\0\nd\n";

    fixture_write_bytes(&fixture, "dispatcher.cnf", text, sizeof(text) - 1);
    ck_assert_str_eq(read_lines(), "1:a|2:BROKEN|3:BROKEN|4:d|");
    ck_assert(fixture_said(&fixture, "dispatcher.cnf:3: error: the line contains a NUL byte"));
}
END_TEST

START_TEST(test_takes_lines_of_64_kib_and_no_longer_ones)
{
    char *text = malloc(CONFIG_LINE_MAX + 10);

    memset(text, 'x', CONFIG_LINE_MAX);
    strcpy(text + CONFIG_LINE_MAX, "\nb\n");
    fixture_write(&fixture, "dispatcher.cnf", text);
    read_lines();
    ck_assert_uint_eq(fixture.problems.n_errors, 0);
    strcpy(text + CONFIG_LINE_MAX, "x\nb\n");
    fixture_write(&fixture, "dispatcher.cnf", text);
    ck_assert_str_eq(read_lines(), "1:BROKEN|2:b|");
    ck_assert(fixture_said(&fixture, "dispatcher.cnf:1: error: the line is longer than 65536"));
    /* The continuation belongs to the line that is too long. */
    strcpy(text + CONFIG_LINE_MAX, "xx\\\nb\nc");
    fixture_write(&fixture, "dispatcher.cnf", text);
    ck_assert_str_eq(read_lines(), "1:BROKEN|3:c|");
    free(text);
}
END_TEST

START_TEST(test_puts_included_lines_in_place)
{
    fixture_write(&fixture, "dispatcher.cnf", "a\n<one.cnf\nb\n< one.cnf\n");
    fixture_write(&fixture, "one.cnf", "! c\nd");
    ck_assert_str_eq(read_lines(), "1:a|2:d|3:b|2:d|");
    fixture_write(&fixture, "dispatcher.cnf", "<one.cnf\\\n");
    ck_assert_str_eq(read_lines(), "1:BROKEN|");
}
END_TEST

START_TEST(test_includes_by_whole_path_and_by_logical_name)
{
    char text[100];

    fixture_write(&fixture, "one.cnf", "d\n");
    snprintf(text, sizeof(text), "<%s/one.cnf\n<IMTA_TABLE:one.cnf\n", fixture.dir);
    fixture_write(&fixture, "dispatcher.cnf", text);
    fixture.paths.config_dir = fixture.dir;
    ck_assert_str_eq(read_lines(), "1:d|1:d|");
}
END_TEST

START_TEST(test_nests_three_deep)
{
    fixture_write(&fixture, "dispatcher.cnf", "<1\n");
    fixture_write(&fixture, "1", "<2\nx\n");
    fixture_write(&fixture, "2", "<3\n");
    fixture_write(&fixture, "3", "a\n");
    ck_assert_str_eq(read_lines(), "1:a|2:x|");
    fixture_write(&fixture, "3", "a\n<4\nb\n");
    fixture_write(&fixture, "4", "never\n");
    ck_assert_str_eq(read_lines(), "1:a|2:BROKEN|3:b|2:x|");
    ck_assert(fixture_said(&fixture, "3:2: error: the include file "));
    ck_assert(fixture_said(&fixture, "is nested too deep"));
}
END_TEST

START_TEST(test_refuses_what_cannot_be_included)
{
    static const struct {
        const char *line, *said;
    } cases[] = {
        {"<dispatcher.cnf", "includes itself"},
        {"<./dispatcher.cnf", "includes itself"},
        {"<loop.cnf", "loop.cnf:1: error: the include file dispatcher.cnf includes itself"},
        {"<missing.cnf", "missing.cnf cannot be read: No such file or directory"},
        {"<", "a file's name must follow the <"},
        {"<.", "is not a regular file"},
        {"</dev/zero", "is not a regular file"},
        {"<fifo", "is not a regular file"},
        {"<SYS$LOGIN:x.cnf", "'SYS$LOGIN:x.cnf' is not a known place; use IMTA_BIN:"},
        {"<IMTA_TABLE:", "a file's name must follow the colon"},
    };

    fixture_write(&fixture, "loop.cnf", "<dispatcher.cnf\n");
    ck_assert_int_eq(mkfifo(fixture_path(&fixture, "fifo"), 0600), 0);
    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        char text[100];

        snprintf(text, sizeof(text), "a\n%s\nb\n", cases[i].line);
        fixture_write(&fixture, "dispatcher.cnf", text);
        read_lines();
        ck_assert_uint_eq(fixture.problems.n_errors, 1);
        ck_assert_msg(fixture_said(&fixture, cases[i].said), "'%s':\n%s", cases[i].line,
                      fixture_problems(&fixture));
    }
}
END_TEST

START_TEST(test_warns_of_files_that_others_may_write)
{
    fixture_write(&fixture, "dispatcher.cnf", "a\n<one.cnf\n");
    fixture_write(&fixture, "one.cnf", "b\n");
    chmod(fixture_path(&fixture, "dispatcher.cnf"), 0664);
    chmod(fixture_path(&fixture, "one.cnf"), 0646);
    ck_assert_str_eq(read_lines(), "1:a|1:b|");
    ck_assert_uint_eq(fixture.problems.n_warnings, 2);
    ck_assert(
        fixture_said(&fixture, "dispatcher.cnf: warning: the file can be written by its gro"));
    ck_assert(fixture_said(&fixture, "one.cnf: warning: the file can be written by everybody"));
}
END_TEST

SUITE("reader", setup, teardown, test_makes_lines_of_bytes, test_names_characters_that_nobody_sees,
      test_reads_a_mapping_file_by_columns, test_a_comment_has_no_limit_and_no_nul,
      test_a_mapping_line_that_is_too_long_is_one_error,
      test_says_that_a_file_ends_in_a_continued_line, test_warns_of_a_blank_after_the_backslash,
      test_refuses_nul_bytes_and_goes_on, test_takes_lines_of_64_kib_and_no_longer_ones,
      test_puts_included_lines_in_place, test_includes_by_whole_path_and_by_logical_name,
      test_nests_three_deep, test_refuses_what_cannot_be_included,
      test_warns_of_files_that_others_may_write)
