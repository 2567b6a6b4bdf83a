/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "workers/tcp_smtp_server/settings.h"
#include "workers/tcp_smtp_server/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct session_settings settings;
static char error[PARAMETER_TEXT_MAX];

static void set_up(void)
{
    ck_assert_int_eq(session_settings_init(&settings, "SMTP", "mail.example.com"), 0);
}

static void tear_down(void)
{
    session_settings_clear(&settings);
}

START_TEST(test_defaults)
{
    ck_assert_int_eq(unsetenv("STATE_DIRECTORY"), 0);
    ck_assert_int_eq(session_settings_complete(&settings), 0);
    ck_assert_str_eq(settings.maildir, "./mail");
    ck_assert_uint_eq(settings.max_message_octets, 26214400);
    ck_assert_ptr_null(settings.channel);
    ck_assert(session_settings_has_domain(&settings, "localhost"));
    ck_assert(session_settings_has_domain(&settings, "MAIL.example.COM"));
    ck_assert(!session_settings_has_domain(&settings, "example.com"));
    ck_assert_uint_eq(settings.timeouts.command, UINT64_C(300000000));
}
END_TEST

START_TEST(test_maildir_is_in_the_state_folder)
{
    ck_assert_int_eq(setenv("STATE_DIRECTORY", "/var/lib/one:/var/lib/two", 1), 0);
    ck_assert_int_eq(session_settings_complete(&settings), 0);
    ck_assert_str_eq(settings.maildir, "/var/lib/one/mail");
}
END_TEST

START_TEST(test_takes_parameters)
{
    static const char *const parameters[] = {
        "CHANNEL=tcp_local", "domain=Example.com", "DOMAIN=[192.0.2.1]", "DOMAIN=\xc3\xa4.example",
        "MAILDIR=/srv/a",    "MAILDIR=/srv/b",     "SIZE=65536"};

    for (size_t i = 0; i < ELEMENTSOF(parameters); i++)
        ck_assert_int_eq(parameters_apply(&session_parameters, &settings, parameters[i], error), 0);
    ck_assert_int_eq(session_settings_complete(&settings), 0);
    ck_assert_str_eq(settings.channel, "tcp_local");
    ck_assert_str_eq(settings.maildir, "/srv/b");
    ck_assert_uint_eq(settings.max_message_octets, 65536);
    ck_assert(session_settings_has_domain(&settings, "example.COM"));
    ck_assert(session_settings_has_domain(&settings, "[192.0.2.1]"));
    ck_assert(session_settings_has_domain(&settings, "\xc3\xa4.example"));
    ck_assert(!session_settings_has_domain(&settings, "localhost"));
}
END_TEST

START_TEST(test_refuses_what_it_does_not_understand)
{
    static const char *const parameters[] = {"",
                                             "CHANEL=a",
                                             "CHANNEL",
                                             "CHANNEL=",
                                             "CHANNEL=a b",
                                             "CHANNEL=a)",
                                             "DOMAIN=",
                                             "DOMAIN=a b",
                                             "DOMAIN=a.",
                                             "DOMAIN=@a",
                                             "MAILDIR=",
                                             "SIZE=",
                                             "SIZE=0",
                                             "SIZE=65535",
                                             "SIZE=-1",
                                             "SIZE=+1",
                                             "SIZE=1000000x",
                                             "SIZE= 1000000",
                                             "SIZE=0x1000000",
                                             "SIZE=1099511627777",
                                             "SIZE=99999999999999999999",
                                             "CHANNEL=a23456789012345678901234567890123"};

    for (size_t i = 0; i < ELEMENTSOF(parameters); i++) {
        error[0] = '\0';
        ck_assert_msg(parameters_apply(&session_parameters, &settings, parameters[i], error) ==
                          -EINVAL,
                      "'%s'", parameters[i]);
        ck_assert_ptr_nonnull(strstr(error, parameters[i]));
    }
}
END_TEST

START_TEST(test_received_says_who_how_and_when)
{
    static const struct {
        const char *host, *client;
        enum greeting greeting;
        bool is_smtputf8;
        const char *protocol;
    } cases[] = {
        {"192.0.2.1", "([192.0.2.1])", GREETING_HELO, false, "with SMTP id"},
        {"2001:db8::1", "([IPv6:2001:db8::1])", GREETING_EHLO, false, "with ESMTP id"},
        {"unix", "(unix)", GREETING_EHLO, true, "with UTF8SMTP id"},
    };
    char text[TRACE_RECEIVED_BYTES];

    ck_assert_int_eq(setenv("TZ", "UTC0", 1), 0);
    ck_assert_int_eq(parameters_apply(&session_parameters, &settings, "CHANNEL=tcp_local", error),
                     0);
    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        const struct session_peer peer = {
            .connection_id = "0123456789abcdef", .host = cases[i].host, .port = 4711};
        const struct client_greeting greeting = {cases[i].greeting, "client.example", NULL};
        struct envelope envelope = {.is_smtputf8 = cases[i].is_smtputf8};

        ck_assert_int_eq(str_list_append(&envelope.recipients, "a@b.example"), 0);
        trace_received(text, &settings, &peer, &greeting, &envelope, 1700000000);
        ck_assert_ptr_nonnull(strstr(text, cases[i].client));
        ck_assert_ptr_nonnull(strstr(text, cases[i].protocol));
        str_list_clear(&envelope.recipients);
        if (i == 0)
            ck_assert_str_eq(text, "Received: from client.example ([192.0.2.1])\n"
                                   "\tby mail.example.com (dispatcherd, channel tcp_local)\n"
                                   "\twith SMTP id 0123456789abcdef\n"
                                   "\tfor <a@b.example>;\n"
                                   "\tTue, 14 Nov 2023 22:13:20 +0000\n");
    }
}
END_TEST

START_TEST(test_received_names_no_recipient_where_there_are_several)
{
    const struct session_peer peer = {
        .connection_id = "0123456789abcdef", .host = "192.0.2.1", .port = 4711};
    const struct client_greeting greeting = {GREETING_EHLO, "client.example", NULL};
    struct envelope envelope = {0};
    char text[TRACE_RECEIVED_BYTES];

    ck_assert_int_eq(str_list_append(&envelope.recipients, "a@b.example"), 0);
    ck_assert_int_eq(str_list_append(&envelope.recipients, "b@b.example"), 0);
    trace_received(text, &settings, &peer, &greeting, &envelope, 1700000000);
    ck_assert_ptr_null(strstr(text, "for <"));
    str_list_clear(&envelope.recipients);
}
END_TEST

SUITE("smtp_settings", set_up, tear_down, test_defaults, test_maildir_is_in_the_state_folder,
      test_takes_parameters, test_refuses_what_it_does_not_understand,
      test_received_says_who_how_and_when, test_received_names_no_recipient_where_there_are_several)
