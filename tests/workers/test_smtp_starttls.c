/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* TLS in the SMTP session: STARTTLS (RFC 3207) in each state, and the port that begins with it. */
#include "support/suite.h"
#include "workers/smtp_dialogue.h"
#include "workers/smtp_folder.h"
#include "workers/tls_files.h"

#include "base/log.h"
#include "base/time.h"
#include "workers/tcp_smtp_server/maildir.h"
#include "workers/tls/context.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define DIALOGUE(...) smtp_dialogue(&settings, (const char *const[]){__VA_ARGS__, NULL})
#define TLS_PORT(...) smtp_dialogue_of_tls_port(&settings, (const char *const[]){__VA_ARGS__, NULL})

#define EHLO_PLAIN                                                                                 \
    "S: 220 mx.example ESMTP", "C: EHLO client.example", "S: 250-mx.example", "S: 250-PIPELINING", \
        "S: 250-SIZE ", "S: 250-8BITMIME", "S: 250-ENHANCEDSTATUSCODES", "S: 250-STARTTLS",        \
        "S: 250 SMTPUTF8"
#define EHLO_TLS                                                                                   \
    "C: EHLO client.example", "S: 250-mx.example", "S: 250-PIPELINING", "S: 250-SIZE ",            \
        "S: 250-8BITMIME", "S: 250-ENHANCEDSTATUSCODES", "S: 250 SMTPUTF8"
#define STARTTLS EHLO_PLAIN, "C: STARTTLS", "S: 220 2.0.0 ", "T: "
#define MESSAGE                                                                                    \
    "C: MAIL FROM:<a@b.example>", "S: 250 2.1.0 ", "C: RCPT TO:<c@mx.example>", "S: 250 2.1.5 ",   \
        "C: DATA", "S: 354 ", "C: Subject: test", "C: ", "C: .", "S: 250 2.0.0 "

static struct smtp_folder folder;
static struct tls_files files;
static struct session_settings settings;

static void set_up(void)
{
    char fault[PARAMETER_TEXT_MAX];

    signal(SIGPIPE, SIG_IGN);
    log_set_max_priority(LOG_EMERG);
    smtp_folder_make(&folder);
    tls_files_make(&files);
    tls_files_add(&files, "mx", (const char *const[]){"mx.example", NULL}, 1000000000);
    ck_assert_int_eq(session_settings_init(&settings, "SMTP", "mx.example"), 0);
    settings.maildir = strdup(folder.maildir);
    ck_assert_int_eq(session_settings_complete(&settings), 0);
    settings.timeouts.linger = 100 * USEC_PER_MSEC;
    str_list_append(&settings.tls.certificates, tls_files_path(&files, "mx.cert"));
    str_list_append(&settings.tls.keys, tls_files_path(&files, "mx.key"));
    ck_assert_msg(tls_context_new(&settings.tls, 10, &settings.tls_context, fault) == 0, "%s",
                  fault);
    ck_assert_int_eq(maildir_make(settings.maildir), 0);
}

static void tear_down(void)
{
    session_settings_clear(&settings);
    tls_files_remove(&files);
    smtp_folder_remove(&folder);
}

static void expect_received(const char *text)
{
    char *message = smtp_folder_read_message(&folder);

    ck_assert_msg(strstr(message, text) != NULL, "no '%s' in: %s", text, message);
    free(message);
}

START_TEST(test_delivers_after_starttls)
{
    DIALOGUE(STARTTLS, EHLO_TLS, MESSAGE, "C: QUIT", "S: 221 ", "E:");
    expect_received("\twith ESMTPS id 0123456789abcdef\n\tfor <c@mx.example>\n\ttls TLS_AES_");
    expect_received(" (TLSv1.3);\n");
}
END_TEST

START_TEST(test_delivers_on_a_tls_port)
{
    TLS_PORT("T: mx.example", "S: 220 mx.example ESMTP", EHLO_TLS, MESSAGE, "N:", "E:");
    expect_received("with ESMTPS id ");
}
END_TEST

START_TEST(test_helo_over_tls_has_no_type_of_its_own)
{
    TLS_PORT("T: ", "S: 220 ", "C: HELO client.example", "S: 250 ", MESSAGE, "C: QUIT", "S: 221 ");
    expect_received("with SMTP id ");
    expect_received("\ttls TLS_AES_");
}
END_TEST

START_TEST(test_nothing_said_before_the_handshake_counts)
{
    DIALOGUE(STARTTLS, "C: MAIL FROM:<a@b.example>", "S: 503 5.5.1 Say EHLO", EHLO_TLS,
             "C: RCPT TO:<c@mx.example>", "S: 503 5.5.1 MAIL is needed");
}
END_TEST

START_TEST(test_commands_behind_starttls_are_never_executed)
{
    /* In one packet with it, and in one that comes while the handshake is awaited. */
    DIALOGUE(EHLO_PLAIN, "R: STARTTLS\r\nMAIL FROM:<a@b.example>\r\n", "S: 554 5.5.0 ", "E:");
    DIALOGUE(EHLO_PLAIN, "C: STARTTLS", "S: 220 2.0.0 ", "C: MAIL FROM:<a@b.example>", "W:");
    TLS_PORT("C: EHLO client.example", "W:");
}
END_TEST

START_TEST(test_starttls_has_its_place)
{
    DIALOGUE("S: 220 ", "C: STARTTLS", "S: 503 5.5.1 Say EHLO", "C: HELO client.example", "S: 250 ",
             "C: STARTTLS x", "S: 501 5.5.4 ", "C: MAIL FROM:<a@b.example>", "S: 250 ",
             "C: STARTTLS", "S: 503 5.5.1 Not while", "C: RCPT TO:<c@mx.example>", "S: 250 ",
             "C: STARTTLS", "S: 503 5.5.1 Not while", "C: RSET", "S: 250 ", "C: HELP",
             "S: 214 2.0.0 Commands: HELO EHLO STARTTLS MAIL", "C: STARTTLS", "S: 220 2.0.0 ",
             "T: ", EHLO_TLS, "C: STARTTLS", "S: 503 5.5.1 TLS is active");
}
END_TEST

START_TEST(test_without_a_certificate_it_is_not_offered)
{
    tls_context_free(settings.tls_context);
    settings.tls_context = NULL;
    DIALOGUE("S: 220 ", EHLO_TLS, "C: STARTTLS", "S: 502 5.5.1 ", "C: HELP",
             "S: 214 2.0.0 Commands: HELO EHLO MAIL");
    TLS_PORT("X: ");
}
END_TEST

START_TEST(test_can_be_required)
{
    settings.tls.is_required = true;
    DIALOGUE(EHLO_PLAIN, "C: MAIL FROM:<a@b.example>", "S: 530 5.7.0 ", "C: RCPT TO:<c@mx.example>",
             "S: 503 5.5.1 ", "C: STARTTLS", "S: 220 2.0.0 ", "T: ", EHLO_TLS, MESSAGE);
}
END_TEST

START_TEST(test_pipelines_over_tls)
{
    DIALOGUE(STARTTLS, EHLO_TLS, "C: MAIL FROM:<a@b.example>", "C: RCPT TO:<c@mx.example>",
             "C: DATA", "S: 250 2.1.0 ", "S: 250 2.1.5 ", "S: 354 ", "C: text", "C: .",
             "S: 250 2.0.0 ", "C: NOOP", "C: QUIT", "S: 554 5.5.0 ", "E:");
}
END_TEST

START_TEST(test_an_end_within_a_message_delivers_nothing)
{
    DIALOGUE(STARTTLS, EHLO_TLS, "C: MAIL FROM:<a@b.example>", "S: 250 ",
             "C: RCPT TO:<c@mx.example>", "S: 250 ", "C: DATA", "S: 354 ", "C: half", "N:");
    ck_assert_uint_eq(smtp_folder_count(&folder, "new"), 0);
    ck_assert_uint_eq(smtp_folder_count(&folder, "tmp"), 0);
}
END_TEST

START_TEST(test_times_out_over_tls_and_says_so)
{
    settings.timeouts.command = USEC_PER_SEC;
    DIALOGUE(STARTTLS, EHLO_TLS, "S: 421 4.4.2 Timeout", "E:");
}
END_TEST

SUITE("smtp_starttls", set_up, tear_down, test_delivers_after_starttls, test_delivers_on_a_tls_port,
      test_helo_over_tls_has_no_type_of_its_own, test_nothing_said_before_the_handshake_counts,
      test_commands_behind_starttls_are_never_executed, test_starttls_has_its_place,
      test_without_a_certificate_it_is_not_offered, test_can_be_required, test_pipelines_over_tls,
      test_an_end_within_a_message_delivers_nothing, test_times_out_over_tls_and_says_so)
