/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "workers/inetd/command.h"
#include "workers/inetd/environment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct command_facts facts = {
    .client_host = "2001:db8::1",
    .local_host = "192.0.2.1",
    .service = "NET",
    .connection_id = "0123456789abcdef",
    .identity = "alice",
    .client_port = 4711,
    .local_port = 25,
};

static char hint[COMMAND_HINT_MAX];

/* The words, joined by "|". */
static void expand(const char *line, char *text)
{
    struct command command;

    ck_assert_msg(command_parse(line, &command, hint) == 0, "%s: %s", line, hint);
    char **words = command_expand(&command, &facts);
    ck_assert_ptr_nonnull(words);
    *text = '\0';
    for (size_t i = 0; words[i]; i++) {
        strcat(text, i > 0 ? "|" : "");
        strcat(text, words[i]);
    }
    free(words);
    command_clear(&command);
}

START_TEST(test_splits_as_systemd_does)
{
    static const struct {
        const char *line, *words;
    } cases[] = {
        {"/bin/a", "/bin/a"},
        {"  /bin/a \t b  ", "/bin/a|b"},
        {"/bin/a 'b c' \"d e\" f' g'h", "/bin/a|b c|d e|f gh"},
        {"/bin/a '' \"\"", "/bin/a||"},
        {"/bin/a \\s\\x41\\101\\u00e4\\\\ \"\\\"\" '\\''", "/bin/a| AA\xc3\xa4\\|\"|'"},
        {"/bin/a \\U0001F600 \\;", "/bin/a|\xf0\x9f\x98\x80|;"},
        {"/bin/a $HOME '|' \">x\"", "/bin/a|$HOME|||>x"},
        {"/bin/a %a.%p %i.%l %n-%c 100%%", "/bin/a|2001:db8::1.4711|192.0.2.1.25|"
                                           "NET-0123456789abcdef|100%"},
    };
    char text[512];

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        expand(cases[i].line, text);
        ck_assert_str_eq(text, cases[i].words);
    }
}
END_TEST

START_TEST(test_refuses_with_what_would_be_right)
{
    static const struct {
        const char *line, *hint;
    } cases[] = {
        {"", "must be a program's path"},
        {"cat", "must be the program's absolute path"},
        {"-/bin/cat", "the prefix '-'"},
        {"/bin/%n", "cannot depend on the connection"},
        {"/bin/a 'b", "the quotation mark ' is not closed"},
        {"/bin/a \"b", "the quotation mark \" is not closed"},
        {"/bin/a \\", "is not an escape"},
        {"/bin/a \\q", "is not an escape"},
        {"/bin/a \\x0", "is not an escape"},
        {"/bin/a \\x00", "is not an escape"},
        {"/bin/a \\400", "is not an escape"},
        {"/bin/a \\ud800", "is not an escape"},
        {"/bin/a %", "is not a specifier"},
        {"/bin/a %x", "is not a specifier"},
        {"/bin/a | b", "would be for a shell"},
        {"/bin/a >b", "would be for a shell"},
        {"/bin/a ; b", "would be for a shell"},
    };
    struct command command;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        ck_assert_msg(command_parse(cases[i].line, &command, hint) == -EINVAL, "%s", cases[i].line);
        ck_assert_msg(strstr(hint, cases[i].hint) != NULL, "%s: %s", cases[i].line, hint);
    }
}
END_TEST

START_TEST(test_the_environment_is_ours_and_what_is_added)
{
    struct str_list added = {0};
    char text[1024] = "";

    ck_assert_int_eq(str_list_append(&added, "A=b c"), 0);
    char **environment = environment_make(&facts, false, NULL, &added);
    for (size_t i = 0; environment[i]; i++) {
        strcat(text, environment[i]);
        strcat(text, "\n");
    }
    ck_assert_str_eq(text, "PROTO=TCP\nTCPREMOTEIP=2001:db8::1\nTCPREMOTEPORT=4711\n"
                           "TCPLOCALIP=192.0.2.1\nTCPLOCALPORT=25\nTCPREMOTEINFO=alice\n"
                           "REMOTE_ADDR=2001:db8::1\n"
                           "REMOTE_PORT=4711\nDISPATCHER_CONNECTION=0123456789abcdef\n"
                           "DISPATCHER_SERVICE=NET\nA=b c\n");
    free(environment);
    environment = environment_make(&facts, true, NULL, &added);
    ck_assert_str_eq(environment[0], "PROTO=UNIX");
    ck_assert_str_eq(environment[3], "A=b c");
    ck_assert_ptr_null(environment[4]);
    free(environment);
    const struct tls_facts tls = {
        .protocol = "TLSv1.3", .cipher = "X", .server_name = "a.example", .digest = "12ab"};
    environment = environment_make(&facts, true, &tls, &added);
    ck_assert_str_eq(environment[1], "SSL_PROTOCOL=TLSv1.3");
    ck_assert_str_eq(environment[2], "SSL_CIPHER=X");
    ck_assert_str_eq(environment[3], "SSL_TLS_SNI_SERVERNAME=a.example");
    ck_assert_str_eq(environment[4], "SSL_PEER_CERT_HASH=SHA256:12ab");
    ck_assert_str_eq(environment[5], "DISPATCHER_CONNECTION=0123456789abcdef");
    free(environment);
    struct command_facts unknown = facts;
    unknown.identity = "";
    environment = environment_make(&unknown, false, NULL, &added);
    ck_assert_str_eq(environment[5], "REMOTE_ADDR=2001:db8::1");
    free(environment);
    str_list_clear(&added);
}
END_TEST

SUITE("inetd_command", NULL, NULL, test_splits_as_systemd_does,
      test_refuses_with_what_would_be_right, test_the_environment_is_ours_and_what_is_added)
