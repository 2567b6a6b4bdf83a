/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "workers/tcp_smtp_server/command.h"

#include <string.h>

START_TEST(test_splits_a_line)
{
    static const struct {
        const char *line;
        enum command command;
        const char *argument;
    } cases[] = {
        {"MAIL FROM:<a@b>", COMMAND_MAIL, "FROM:<a@b>"},
        {"mail from:<a@b>", COMMAND_MAIL, "from:<a@b>"},
        {"Quit", COMMAND_QUIT, ""},
        {"QUIT \t ", COMMAND_QUIT, ""},
        {"NOOP  two", COMMAND_NOOP, " two"},
        {"MAILFROM:<a@b>", COMMAND_UNKNOWN, ""},
        {"LHLO x", COMMAND_NOT_IMPLEMENTED, "x"},
        {"STARTTLS", COMMAND_STARTTLS, ""},
        {"GET / HTTP/1.1", COMMAND_FORBIDDEN, "/ HTTP/1.1"},
        {"", COMMAND_UNKNOWN, ""},
        {"   ", COMMAND_UNKNOWN, ""},
        {" QUIT", COMMAND_UNKNOWN, "QUIT"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        char line[64];
        const char *argument;

        strcpy(line, cases[i].line);
        ck_assert_msg(smtp_command_parse(line, strlen(line), &argument) == cases[i].command, "'%s'",
                      cases[i].line);
        ck_assert_str_eq(argument, cases[i].argument);
    }
}
END_TEST

START_TEST(test_reads_greetings)
{
    static const char *const good[] = {"client.example", "localhost", "my_pc", "[192.0.2.1]",
                                       "[IPv6:::1]"};
    static const char *const bad[] = {
        "", " a", "a b", "a.", "-a", "[::1]", "a\"", "\xc3\xa4.example", "a@b", "a\tb"};
    struct client_greeting greeting = {0};

    for (size_t i = 0; i < ELEMENTSOF(good); i++) {
        ck_assert_ptr_null(command_parse_greeting(good[i], GREETING_EHLO, &greeting));
        ck_assert_str_eq(greeting.name, good[i]);
        ck_assert_int_eq(greeting.kind, GREETING_EHLO);
    }
    for (size_t i = 0; i < ELEMENTSOF(bad); i++)
        ck_assert_msg(command_parse_greeting(bad[i], GREETING_HELO, &greeting) != NULL, "'%s'",
                      bad[i]);
    ck_assert_str_eq(greeting.name, "[IPv6:::1]");
}
END_TEST

START_TEST(test_reads_mail)
{
    static const struct {
        const char *argument;
        bool has_extensions;
        const char *refusal; /* its start; NULL where it is good */
        uint64_t size;
        bool is_smtputf8;
    } cases[] = {
        {"FROM:<a@b>", false, NULL, 0, false},
        {"from:<>", false, NULL, 0, false},
        {"FROM:<a@b> SIZE=1000 BODY=8BITMIME SMTPUTF8", true, NULL, 1000, true},
        {"FROM:<a@b>  size=0  body=7bit", true, NULL, 0, false},
        {"FROM:<\xc3\xa4@b> SMTPUTF8", true, NULL, 0, true},
        {"FROM:<a@b> SIZE=18446744073709551615", true, NULL, UINT64_MAX, false},
        {"FROM:<a@b> SIZE=99999999999999999999", true, NULL, UINT64_MAX, false},
        {"FROM:<\xc3\xa4@b>", true, "553 5.6.7 ", 0, false},
        {"FROM:<a@b> SIZE=1", false, "555 5.5.4 ", 0, false},
        {"FROM:<a@b> SIZE", true, "501 5.5.4 ", 0, false},
        {"FROM:<a@b> SIZE=", true, "501 5.5.4 ", 0, false},
        {"FROM:<a@b> SIZE=-1", true, "501 5.5.4 ", 0, false},
        {"FROM:<a@b> SIZE=1x", true, "501 5.5.4 ", 0, false},
        {"FROM:<a@b> SIZE=000000000000000000001", true, "501 5.5.4 ", 0, false},
        {"FROM:<a@b> SIZE=1 SIZE=1", true, "501 5.5.4 ", 0, false},
        {"FROM:<a@b> BODY=BINARYMIME", true, "501 5.5.4 ", 0, false},
        {"FROM:<a@b> SMTPUTF8=yes", true, "501 5.5.4 ", 0, false},
        {"FROM:<a@b> RET=HDRS", true, "555 5.5.4 ", 0, false},
        {"FROM:<a@b> AUTH=<>", true, "555 5.5.4 ", 0, false},
        {"FROM:<a@b> =", true, "555 5.5.4 ", 0, false},
        {"FROM:<a@b>SIZE=1", true, "501 5.5.4 ", 0, false},
        {"FROM: <a@b>", true, "501 5.1.7 ", 0, false},
        {"FROM:a@b", true, "501 5.1.7 ", 0, false},
        {"FROM :<a@b>", true, "501 5.5.4 ", 0, false},
        {"TO:<a@b>", true, "501 5.5.4 ", 0, false},
        {"", true, "501 5.5.4 ", 0, false},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct mail_arguments mail;
        const char *refusal = command_parse_mail(cases[i].argument, cases[i].has_extensions, &mail);

        if (cases[i].refusal) {
            ck_assert_msg(refusal && str_starts_nocase(refusal, cases[i].refusal), "%s: %s",
                          cases[i].argument, refusal ? refusal : "accepted");
            continue;
        }
        ck_assert_msg(!refusal, "%s: %s", cases[i].argument, refusal);
        ck_assert_uint_eq(mail.size, cases[i].size);
        ck_assert_int_eq(mail.is_smtputf8, cases[i].is_smtputf8);
    }
}
END_TEST

START_TEST(test_reads_rcpt)
{
    static const struct {
        const char *argument;
        bool is_smtputf8;
        const char *refusal;
    } cases[] = {
        {"TO:<a@b>", false, NULL},           {"to:<postmaster>", false, NULL},
        {"TO:<\xc3\xa4@b>", true, NULL},     {"TO:<\xc3\xa4@b>", false, "553 5.6.7 "},
        {"TO:<\xc3@b>", true, "501 5.1.3 "}, {"TO:<>", false, "501 5.1.3 "},
        {"TO: <a@b>", false, "501 5.1.3 "},  {"TO:<a@b> NOTIFY=NEVER", false, "555 5.5.4 "},
        {"FROM:<a@b>", false, "501 5.5.4 "},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct path path;
        const char *refusal = command_parse_rcpt(cases[i].argument, cases[i].is_smtputf8, &path);

        if (cases[i].refusal)
            ck_assert_msg(refusal && str_starts_nocase(refusal, cases[i].refusal), "%s: %s",
                          cases[i].argument, refusal ? refusal : "accepted");
        else
            ck_assert_msg(!refusal, "%s: %s", cases[i].argument, refusal);
    }
}
END_TEST

SUITE("smtp_command", NULL, NULL, test_splits_a_line, test_reads_greetings, test_reads_mail,
      test_reads_rcpt)
