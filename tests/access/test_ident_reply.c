/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/random.h"
#include "support/suite.h"

#include "access/ident_reply.h"
#include "base/macro.h"

#include <string.h>

static const struct ident_ports ports = {.client = 6193, .server = 25};

static const struct {
    const char *line;
    const char *user; /* NULL: none */
} replies[] = {
    {"6193 , 25 : USERID : UNIX : joe\r\n", "joe"},
    {"6193,25:USERID:UNIX:joe\n", "joe"},
    {"  6193\t, 25 :\tuserid : OTHER,US-ASCII :   joe\r\nmore", "joe"},
    {"6193, 25 : USERID : UNIX : joe:doe : x\r\n", "joe:doe : x"},
    {"06193, 025 : USERID : UNIX : a b \r\n", "a b "},
    {"6193, 25 : USERID : UNIX : \x1b[31m\xc3\xa4\x7f\r\r\n", "?[31m????"},
    {"6193, 25 : USERID : : joe\r\n", "joe"},
    {"6193, 25 : USERID : UNIX :\r\n", NULL},
    {"6193, 25 : USERID : UNIX :   \r\n", NULL},
    {"6193, 25 : USERID : UNIX\r\n", NULL},
    {"6193, 25 : ERROR : NO-USER\r\n", NULL},
    {"6193, 25 : ERROR : X : joe\r\n", NULL},
    {"6193, 25 : USERIDS : UNIX : joe\r\n", NULL},
    {"6193, 25 : : UNIX : joe\r\n", NULL},
    {"25, 6193 : USERID : UNIX : joe\r\n", NULL},
    {"6193, 26 : USERID : UNIX : joe\r\n", NULL},
    {"6193, 65561 : USERID : UNIX : joe\r\n", NULL},
    {"71729, 25 : USERID : UNIX : joe\r\n", NULL},
    {"+6193, 25 : USERID : UNIX : joe\r\n", NULL},
    {"6193 25 : USERID : UNIX : joe\r\n", NULL},
    {"6193, 2 5 : USERID : UNIX : joe\r\n", NULL},
    {", : USERID : UNIX : joe\r\n", NULL},
    {"\r\n", NULL},
    {"\n", NULL},
    {"220 mail.example ESMTP\r\n", NULL},
};

static enum ident_reply read_text(const char *text, size_t size, bool is_ended,
                                  char user[IDENT_USER_MAX + 1])
{
    return ident_reply_read(text, size, is_ended, ports, user);
}

START_TEST(test_reads_replies)
{
    char user[IDENT_USER_MAX + 1];
    const char *line = replies[_i].line;
    const char *expected = replies[_i].user;

    ck_assert_int_eq(read_text(line, strlen(line), false, user),
                     expected ? IDENT_REPLY_USER : IDENT_REPLY_NONE);
    if (expected)
        ck_assert_str_eq(user, expected);
    size_t n_line = (size_t)(strchr(line, '\n') - line);
    ck_assert_int_eq(read_text(line, n_line, false, user), IDENT_REPLY_MORE);
    ck_assert_int_eq(read_text(line, n_line, true, user),
                     expected ? IDENT_REPLY_USER : IDENT_REPLY_NONE);
}
END_TEST

START_TEST(test_nothing_is_none)
{
    char user[IDENT_USER_MAX + 1];

    ck_assert_int_eq(read_text("", 0, false, user), IDENT_REPLY_MORE);
    ck_assert_int_eq(read_text("", 0, true, user), IDENT_REPLY_NONE);
}
END_TEST

START_TEST(test_long_names_are_cut_and_long_lines_are_none)
{
    char user[IDENT_USER_MAX + 1];
    char line[IDENT_REPLY_MAX_BYTES + 1];

    memset(line, 'x', sizeof(line));
    memcpy(line, "6193,25:USERID:UNIX:", 20);
    ck_assert_int_eq(read_text(line, IDENT_REPLY_MAX_BYTES - 1, false, user), IDENT_REPLY_MORE);
    ck_assert_int_eq(read_text(line, IDENT_REPLY_MAX_BYTES, false, user), IDENT_REPLY_NONE);
    line[IDENT_REPLY_MAX_BYTES] = '\n';
    ck_assert_int_eq(read_text(line, sizeof(line), false, user), IDENT_REPLY_NONE);
    line[IDENT_REPLY_MAX_BYTES - 1] = '\n';
    ck_assert_int_eq(read_text(line, IDENT_REPLY_MAX_BYTES, false, user), IDENT_REPLY_USER);
    ck_assert_uint_eq(strlen(user), IDENT_USER_MAX);
}
END_TEST

START_TEST(test_asks_with_the_clients_port_first)
{
    char query[IDENT_QUERY_MAX];
    const struct ident_ports largest = {.client = 65535, .server = 65534};

    ck_assert_uint_eq(ident_query_write(ports, query), strlen("6193 , 25\r\n"));
    ck_assert_str_eq(query, "6193 , 25\r\n");
    ck_assert_uint_eq(ident_query_write(largest, query), IDENT_QUERY_MAX - 1);
    ck_assert_str_eq(query, "65535 , 65534\r\n");
}
END_TEST

START_TEST(test_hostile_bytes_give_a_harmless_name)
{
    struct random_source source = random_start();
    char bytes[200], user[IDENT_USER_MAX + 1];

    for (int i = 0; i < 50000; i++) {
        size_t size = random_between(&source, 20, sizeof(bytes));
        for (size_t j = 0; j < size; j++)
            bytes[j] = (char)random_next(&source);
        memcpy(bytes, "6193,25:USERID:UNIX:", random_between(&source, 0, 20));
        if (read_text(bytes, size, i % 2, user) != IDENT_REPLY_USER)
            continue;
        ck_assert_uint_gt(strlen(user), 0);
        for (const char *p = user; *p != '\0'; p++)
            ck_assert(*p >= ' ' && *p <= '~');
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("ident_reply");
    TCase *tables = tcase_create("tables");

    tcase_add_loop_test(tables, test_reads_replies, 0, (int)ELEMENTSOF(replies));
    suite_add_tcase(suite, tables);
    ADD_TESTS(suite, "rules", test_nothing_is_none, test_long_names_are_cut_and_long_lines_are_none,
              test_asks_with_the_clients_port_first, test_hostile_bytes_give_a_harmless_name);
    return suite;
}
