/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"
#include "workers/smtp_dialogue.h"
#include "workers/smtp_folder.h"

#include "base/log.h"
#include "base/macro.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

/* What every dialogue but the first few starts with. */
#define EHLO                                                                                       \
    "S: 220 mx.example ESMTP", "C: EHLO client.example", "S: 250-mx.example", "S: 250-PIPELINING", \
        "S: 250-SIZE 1000", "S: 250-8BITMIME", "S: 250-ENHANCEDSTATUSCODES", "S: 250 SMTPUTF8"
#define ENVELOPE                                                                                   \
    EHLO, "C: MAIL FROM:<a@b.example>", "S: 250 2.1.0 ", "C: RCPT TO:<c@mx.example>",              \
        "S: 250 2.1.5 "
#define DATA ENVELOPE, "C: DATA", "S: 354 "

#define DIALOGUE(...) smtp_dialogue(&settings, (const char *const[]){__VA_ARGS__, NULL})

static struct smtp_folder folder;
static struct session_settings settings;

static void set_up(void)
{
    char error[PARAMETER_TEXT_MAX], parameter[128];

    log_set_max_priority(LOG_EMERG);
    smtp_folder_make(&folder);
    snprintf(parameter, sizeof(parameter), "MAILDIR=%s", folder.maildir);
    ck_assert_int_eq(session_settings_init(&settings, "SMTP", "mx.example"), 0);
    ck_assert_int_eq(parameters_apply(&session_parameters, &settings, parameter, error), 0);
    ck_assert_int_eq(session_settings_complete(&settings), 0);
    settings.max_message_octets = 1000;
    settings.timeouts.linger = 10 * USEC_PER_SEC;
}

static void tear_down(void)
{
    ck_assert_uint_eq(smtp_folder_count(&folder, "tmp"), 0);
    session_settings_clear(&settings);
    smtp_folder_remove(&folder);
}

static void expect_messages(size_t n)
{
    ck_assert_uint_eq(smtp_folder_count(&folder, "new"), n);
}

START_TEST(test_delivers_a_message)
{
    DIALOGUE("S: 220 mx.example ESMTP", "C: HELO client.example", "S: 250 mx.example",
             "C: MAIL FROM:<a@b.example>", "S: 250 2.1.0 ", "C: RCPT TO:<@x.example:c@MX.example>",
             "S: 250 2.1.5 ", "C: DATA", "S: 354 ", "C: Subject: test", "C: ", "C: ..dot", "C: .",
             "S: 250 2.0.0 ", "C: QUIT", "S: 221 2.0.0 ", "E:");
    char *text = smtp_folder_read_message(&folder);
    char *date = strstr(text, "for <c@MX.example>;\n\t");
    ck_assert_ptr_nonnull(date);
    ck_assert_ptr_nonnull(strstr(date, "\nSubject: test\n\n.dot\n"));
    ck_assert_ptr_eq(strstr(text, "Return-Path: <a@b.example>\n"
                                  "Delivered-To: c@MX.example\n"
                                  "Received: from client.example ([192.0.2.1])\n"
                                  "\tby mx.example (dispatcherd)\n"
                                  "\twith SMTP id 0123456789abcdef\n"),
                     text);
    free(text);
}
END_TEST

START_TEST(test_one_file_for_all_recipients)
{
    DIALOGUE(EHLO, "C: MAIL FROM:<> SIZE=10 BODY=8BITMIME", "C: RCPT TO:<c@mx.example>",
             "C: RCPT TO:<Postmaster>", "C: RCPT TO:<c@mx.example>", "C: RCPT TO:<x@y.example>",
             "C: DATA", "S: 250 2.1.0 ", "S: 250 2.1.5 ", "S: 250 2.1.5 ", "S: 250 2.1.5 ",
             "S: 550 5.7.1 ", "S: 354 ", "C: text", "C: .", "S: 250 2.0.0 ");
    char *text = smtp_folder_read_message(&folder);
    ck_assert_ptr_eq(strstr(text, "Return-Path: <>\n"
                                  "Delivered-To: c@mx.example\n"
                                  "Delivered-To: Postmaster\n"
                                  "Received: "),
                     text);
    free(text);
}
END_TEST

START_TEST(test_pipelines_from_message_to_message)
{
    DIALOGUE(DATA, "C: one", "C: .", "C: MAIL FROM:<a@b>", "C: RCPT TO:<c@localhost>", "C: DATA",
             "S: 250 2.0.0 ", "S: 250 2.1.0 ", "S: 250 2.1.5 ", "S: 354 ", "C: two", "C: .",
             "C: QUIT", "S: 250 2.0.0 ", "S: 221 ", "E:");
    expect_messages(2);
}
END_TEST

START_TEST(test_wants_commands_in_order)
{
    DIALOGUE("S: 220 ", "C: MAIL FROM:<a@b>", "S: 503 5.5.1 ", "C: RCPT TO:<c@localhost>",
             "S: 503 5.5.1 ", "C: DATA", "S: 503 5.5.1 ", "C: RSET", "S: 250 2.0.0 ", "C: NOOP x",
             "S: 250 2.0.0 ", "C: VRFY c", "S: 252 2.5.2 ", "C: HELP", "S: 214 2.0.0 ",
             "C: HELO a b", "S: 501 5.5.4 ", "C: EHLO", "S: 501 5.5.4 ", "C: HELO x", "S: 250 ",
             "C: RCPT TO:<c@localhost>", "S: 503 5.5.1 ", "C: DATA", "S: 503 5.5.1 ",
             "C: MAIL FROM:<a@b> SIZE=1", "S: 555 5.5.4 ", "C: MAIL FROM:<a@b>", "S: 250 ",
             "C: MAIL FROM:<a@b>", "S: 503 5.5.1 ", "C: DATA", "S: 554 5.5.1 ",
             "C: RCPT TO:<c@localhost>", "S: 250 ", "C: RSET now", "S: 501 5.5.4 ", "C: RSET",
             "S: 250 ", "C: DATA", "S: 503 ", "C: MAIL FROM:<a@b>", "S: 250 ", "C: HELO x",
             "S: 250 ", "C: RCPT TO:<c@localhost>", "S: 503 ", "C: QUIT", "S: 221 ", "E:");
}
END_TEST

START_TEST(test_refuses_commands_it_does_not_offer)
{
    DIALOGUE(EHLO, "C: STARTTLS", "S: 502 5.5.1 ", "C: EXPN x", "S: 502 5.5.1 ", "C: ETRN x",
             "S: 502 5.5.1 ", "C: LHLO x", "S: 502 5.5.1 ", "C: XYZZY", "S: 500 5.5.1 ",
             "C: ", "S: 500 5.5.1 ", "C: VRFY", "S: 501 5.5.4 ", "C: DATA x", "S: 501 5.5.4 ");
    DIALOGUE("S: 220 ", "C: GET / HTTP/1.1", "W:", "C: Host: mx.example", "S: 421 4.7.0 ", "E:");
}
END_TEST

START_TEST(test_refuses_other_domains_and_bad_addresses)
{
    DIALOGUE(EHLO, "C: MAIL FROM:<a>", "S: 501 5.1.7 ", "C: MAIL FROM: <a@b>", "S: 501 5.1.7 ",
             "C: MAIL FROM:<a@b> SIZE=1001", "S: 552 5.3.4 ", "C: MAIL FROM:<\xc3\xa4@b>",
             "S: 553 5.6.7 ", "C: MAIL FROM:<a@b> FOO=BAR", "S: 555 5.5.4 ",
             "C: MAIL FROM:<a@b> SIZE=1000", "S: 250 ", "C: RCPT TO:<c@b.example>", "S: 550 5.7.1 ",
             "C: RCPT TO:<c@mx.example.b.example>", "S: 550 5.7.1 ",
             "C: RCPT TO:<postmaster@b.example>", "S: 550 5.7.1 ", "C: RCPT TO:<c@[192.0.2.9]>",
             "S: 550 5.7.1 ", "C: RCPT TO:<c>", "S: 501 5.1.3 ", "C: RCPT TO:<\xc3\xa4@localhost>",
             "S: 553 5.6.7 ", "C: RCPT TO:<c@localhost> NOTIFY=NEVER", "S: 555 5.5.4 ",
             "C: RCPT TO:<c@LOCALHOST>", "S: 250 ");
}
END_TEST

START_TEST(test_takes_utf8_where_it_was_announced)
{
    DIALOGUE(EHLO, "C: MAIL FROM:<\xc3\xa4@b> SMTPUTF8", "S: 250 ",
             "C: RCPT TO:<\xc3\xb6@localhost>", "S: 250 ", "C: DATA", "S: 354 ", "C: .", "S: 250 ");
    char *text = smtp_folder_read_message(&folder);
    ck_assert_ptr_nonnull(strstr(text, "with UTF8SMTP id"));
    ck_assert_ptr_nonnull(strstr(text, "Return-Path: <\xc3\xa4@b>\n"));
    free(text);
}
END_TEST

/* "MAIL FROM:<a@b>" filled up with spaces to `length` octets, CRLF included. */
static void long_command(char *step, const char *command, size_t length)
{
    sprintf(step, "C: %-*s", (int)(length - 2), command);
}

START_TEST(test_limits_command_lines)
{
    char noop[1024], noop_over[1024], mail[1024], mail_over[1024], huge[8192];

    long_command(noop, "NOOP", 512);
    long_command(noop_over, "NOOP", 513);
    long_command(mail, "MAIL FROM:<a@b>", 565);
    long_command(mail_over, "MAIL FROM:<a@b>", 566);
    long_command(huge, "NOOP", 8000);
    DIALOGUE(EHLO, noop, "S: 250 ", noop_over, "S: 500 5.5.2 ", mail_over, "S: 500 5.5.2 ", mail,
             "S: 250 ", huge, "S: 500 5.5.2 ", "C: NOOP", "S: 250 ");
}
END_TEST

START_TEST(test_refuses_input_before_the_greeting)
{
    DIALOGUE("C: EHLO client.example", "S: 554 5.5.0 ", "E:");
}
END_TEST

START_TEST(test_refuses_improper_pipelining)
{
    DIALOGUE("S: 220 ", "C: EHLO client.example", "C: NOOP", "S: 554 5.5.0 ", "E:");
    DIALOGUE("S: 220 ", "C: HELO client.example", "S: 250 ", "C: MAIL FROM:<a@b>",
             "C: RCPT TO:<c@localhost>", "S: 554 5.5.0 ", "E:");
    DIALOGUE(ENVELOPE, "C: DATA", "C: text", "C: .", "S: 554 5.5.0 ", "E:");
    DIALOGUE(EHLO, "C: MAIL FROM:<a@b>", "C: DATA", "C: text", "C: .", "S: 250 ", "S: 554 5.5.0 ",
             "E:");
    expect_messages(0);
}
END_TEST

START_TEST(test_refuses_malformed_command_lines)
{
    DIALOGUE(EHLO, "R: NOOP\n", "S: 500 5.5.2 ", "E:");
    DIALOGUE(EHLO, "R: NOOP\rNOOP\r\n", "S: 500 5.5.2 ", "E:");
    DIALOGUE(EHLO, "R: MAIL FROM:<a@b>\r\nRCPT TO:<c@localhost>\nDATA\r\n", "S: 250 ",
             "S: 500 5.5.2 ", "E:");
}
END_TEST

START_TEST(test_never_takes_a_smuggled_end)
{
    static const char *const ends[] = {
        "\n.\n",    "\n.\r\n",   "\r.\r",     "\r.\r\n",   "\r\n.\n",
        "\r\n.\rX", "\r\n.\r\r", "\n\n.\r\n", "\r\r.\r\r", "\n.\r",
    };

    for (size_t i = 0; i < ELEMENTSOF(ends); i++) {
        char data[256];

        /* Whatever follows is never obeyed, and the message is never delivered. */
        sprintf(data, "R: text%sMAIL FROM:<x@y>\r\nRCPT TO:<c@localhost>\r\nDATA\r\n.\r\n",
                ends[i]);
        DIALOGUE(DATA, data, "S: 554 5.6.0 ", "E:");
        sprintf(data, "R: text%s", ends[i]);
        if (ends[i][strlen(ends[i]) - 1] != 'X')
            DIALOGUE(DATA, data, "S: 554 5.6.0 ", "E:");
    }
    expect_messages(0);
}
END_TEST

START_TEST(test_refuses_bare_line_ends_in_data)
{
    DIALOGUE(DATA, "R: one\ntwo\r\n.\r\nNOOP\r\n", "S: 554 5.6.0 Refused: bare <LF>", "E:");
    DIALOGUE(DATA, "R: one\rtwo\r\n.\r\n", "S: 554 5.6.0 Refused: bare <CR>", "E:");
    expect_messages(0);
}
END_TEST

START_TEST(test_counts_the_message_against_size)
{
    char block[1100];

    memset(block, 'x', sizeof(block));
    memcpy(block, "R: ", 3);
    strcpy(block + 3 + 998, "\r\n.\r\n");
    DIALOGUE(DATA, block, "S: 250 2.0.0 ", "C: NOOP", "S: 250 ");
    strcpy(block + 3 + 998, "x\r\n.\r\n");
    DIALOGUE(DATA, block, "S: 552 5.3.4 ", "C: NOOP", "S: 250 ", "C: DATA", "S: 503 ");
    expect_messages(1);
}
END_TEST

START_TEST(test_takes_what_it_has_no_room_for_and_says_so)
{
    const struct rlimit limit = {.rlim_cur = 20000, .rlim_max = RLIM_INFINITY};
    char data[32768];

    settings.max_message_octets = 1000000;
    memset(data, 'x', sizeof(data));
    memcpy(data, "R: ", 3);
    strcpy(data + 30000, "\r\n.\r\n");
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
#define BIG_EHLO                                                                                   \
    "S: 220 ", "C: EHLO x", "S: 250-", "S: 250-", "S: 250-SIZE 1000000", "S: 250-", "S: 250-",     \
        "S: 250 "
    DIALOGUE(BIG_EHLO, "C: MAIL FROM:<a@b>", "S: 250 ", "C: RCPT TO:<c@localhost>", "S: 250 ",
             "C: DATA", "S: 354 ", data, "S: 452 4.3.1 ", "C: MAIL FROM:<a@b>", "S: 250 ",
             "C: RCPT TO:<c@localhost>", "S: 250 ", "C: DATA", "S: 354 ", "C: small", "C: .",
             "S: 250 2.0.0 ");
    expect_messages(1);
}
END_TEST

START_TEST(test_says_451_where_it_cannot_write)
{
    int fd = open(folder.maildir, O_CREAT | O_WRONLY, 0600);

    ck_assert_int_ge(fd, 0);
    close(fd);
    DIALOGUE(ENVELOPE, "C: DATA", "S: 451 4.3.0 ", "C: NOOP", "S: 250 ");
}
END_TEST

START_TEST(test_limits_errors)
{
    const char *steps[64] = {"S: 220 "};
    size_t n = 1;

    for (int i = 0; i < 19; i++) {
        steps[n++] = "C: XYZZY";
        steps[n++] = "S: 500 5.5.1 ";
    }
    steps[n++] = "C: XYZZY";
    steps[n++] = "S: 421 4.7.0 ";
    steps[n++] = "E:";
    smtp_dialogue(&settings, steps);
}
END_TEST

START_TEST(test_limits_idle_commands)
{
    const char *steps[256] = {"S: 220 "};
    size_t n = 1;

    for (int i = 0; i < 100; i++) {
        steps[n++] = "C: NOOP";
        steps[n++] = "S: 250 ";
    }
    steps[n++] = "C: NOOP";
    steps[n++] = "S: 421 4.7.0 ";
    steps[n++] = "E:";
    smtp_dialogue(&settings, steps);
}
END_TEST

START_TEST(test_limits_recipients)
{
    const char *steps[2100] = {EHLO, "C: MAIL FROM:<a@b>", "S: 250 "};
    char *recipients[1001];
    size_t n = 0;

    while (steps[n])
        n++;
    for (int i = 0; i < 1001; i++) {
        ck_assert_int_gt(asprintf(&recipients[i], "C: RCPT TO:<%d@localhost>", i), 0);
        steps[n++] = recipients[i];
        steps[n++] = i < 1000 ? "S: 250 " : "S: 452 4.5.3 ";
    }
    steps[n++] = "C: DATA";
    steps[n++] = "S: 354 ";
    steps[n++] = "C: .";
    steps[n++] = "S: 250 ";
    smtp_dialogue(&settings, steps);
    for (int i = 0; i < 1001; i++)
        free(recipients[i]);
    expect_messages(1);
}
END_TEST

START_TEST(test_times_out_and_says_so)
{
    settings.timeouts.command = 50 * USEC_PER_MSEC;
    DIALOGUE("S: 220 ", "S: 421 4.4.2 ", "E:");
    DIALOGUE("S: 220 ", "R: NO", "S: 421 4.4.2 ", "E:");
    settings.timeouts.command = 5 * USEC_PER_SEC;
    settings.timeouts.data_start = 50 * USEC_PER_MSEC;
    DIALOGUE(DATA, "S: 421 4.4.2 ", "E:");
    settings.timeouts.data_start = 5 * USEC_PER_SEC;
    settings.timeouts.data_block = 50 * USEC_PER_MSEC;
    DIALOGUE(DATA, "C: text", "S: 421 4.4.2 ", "E:");
    settings.timeouts.session = USEC_PER_SEC;
    DIALOGUE("S: 220 ", "C: NOOP", "S: 250 ", "S: 421 4.4.2 ", "E:");
    expect_messages(0);
}
END_TEST

START_TEST(test_a_dripping_client_does_not_hold_us)
{
    /* A little every 20 ms: never a long wait for the next block, yet below the rate. */
    settings.timeouts.data_block = 100 * USEC_PER_MSEC;
    DIALOGUE(DATA, "R: x", "W:", "R: x", "W:", "R: x", "W:", "R: x", "W:", "R: x",
             "W:", "S: 421 4.4.2 ", "E:");
    settings.timeouts.command = 100 * USEC_PER_MSEC;
    DIALOGUE("S: 220 ", "R: N", "W:", "R: O", "W:", "R: O", "W:", "R: P", "W:", "S: 421 4.4.2 ",
             "E:");
}
END_TEST

/* A client that says a few commands, each when it is its turn, and then never stops sending. */
struct flood {
    const char *const *next_command;
    char replies[4096];
    size_t n_replied;
};

static ssize_t flood_receive(void *userdata, void *buffer, size_t size, struct deadline deadline)
{
    struct flood *flood = userdata;

    if (time_now_usec(CLOCK_MONOTONIC) >= deadline.usual)
        return -ETIMEDOUT;
    if (*flood->next_command)
        return (ssize_t)strlen(strcpy(buffer, *flood->next_command++));
    memset(buffer, 'x', size);
    return (ssize_t)size;
}

static int flood_send(void *userdata, const void *bytes, size_t n_bytes,
                      uint64_t deadline_usec _unused_)
{
    struct flood *flood = userdata;

    ck_assert_uint_lt(flood->n_replied + n_bytes, sizeof(flood->replies));
    memcpy(flood->replies + flood->n_replied, bytes, n_bytes);
    flood->n_replied += n_bytes;
    return 0;
}

static bool flood_has_input(void *userdata _unused_)
{
    return false;
}

static void flood_end_output(void *userdata _unused_)
{
}

START_TEST(test_a_flooding_client_does_not_hold_us)
{
    static const char *const commands[] = {"EHLO x\r\n", "MAIL FROM:<a@b>\r\n",
                                           "RCPT TO:<c@localhost>\r\n", "DATA\r\n", NULL};
    const struct session_peer peer = {
        .connection_id = "0123456789abcdef", .host = "192.0.2.1", .port = 4711};
    struct flood flood = {.next_command = commands};
    const struct transport transport = {
        .receive = flood_receive,
        .send = flood_send,
        .has_input = flood_has_input,
        .end_output = flood_end_output,
        .userdata = &flood,
    };

    settings.timeouts.discard = 50 * USEC_PER_MSEC;
    session_run_over(&settings, &peer, &transport);
    ck_assert_ptr_nonnull(strstr(flood.replies, "\r\n421 4.4.2 "));
    expect_messages(0);
}
END_TEST

static void add_line(void *userdata, int priority, const char *text)
{
    char *lines = userdata;
    size_t length = strlen(lines);

    snprintf(lines + length, 4096 - length, "%d %s\n", priority, text);
}

/* Ten lines, and one for the rest. */
START_TEST(test_logs_refused_recipients)
{
    static const char *const commands[] = {"EHLO x\r\n",
                                           "MAIL FROM:<a@b>\r\n",
                                           "RCPT TO:<0@c>\r\n",
                                           "RCPT TO:<1@c>\r\n",
                                           "RCPT TO:<2@c>\r\n",
                                           "RCPT TO:<3@c>\r\n",
                                           "RCPT TO:<4@c>\r\n",
                                           "RCPT TO:<5@c>\r\n",
                                           "RCPT TO:<6@c>\r\n",
                                           "RCPT TO:<7@c>\r\n",
                                           "RCPT TO:<8@c>\r\n",
                                           "RCPT nonsense\r\n",
                                           "RCPT TO:<10@c>\r\n",
                                           "RCPT TO:<d@localhost>\r\n",
                                           "RCPT TO:<11@c>\r\n",
                                           "QUIT\r\n",
                                           NULL};
    char lines[4096] = "", expected[128];
    const struct session_peer peer = {.connection_id = "0123456789abcdef",
                                      .host = "192.0.2.1",
                                      .port = 4711,
                                      .log = add_line,
                                      .log_userdata = lines};
    struct flood flood = {.next_command = commands};
    const struct transport transport = {
        .receive = flood_receive,
        .send = flood_send,
        .has_input = flood_has_input,
        .end_output = flood_end_output,
        .userdata = &flood,
    };
    const char *line = lines;

    session_run_over(&settings, &peer, &transport);
    for (int i = 0; i < 9; i++) {
        snprintf(expected, sizeof(expected), "5 rejected recipient: <%d@c>, from <a@b>: 550 5.7.1 ",
                 i);
        ck_assert_msg(strncmp(line, expected, strlen(expected)) == 0, "'%s'", lines);
        line = strchr(line, '\n') + 1;
    }
    snprintf(expected, sizeof(expected), "5 rejected recipient: nonsense, from <a@b>: 50");
    ck_assert_msg(strncmp(line, expected, strlen(expected)) == 0, "'%s'", lines);
    ck_assert_str_eq(strchr(line, '\n') + 1, "5 rejected recipient: 2 more in this session\n");
}
END_TEST

START_TEST(test_survives_a_client_that_leaves)
{
    DIALOGUE("S: 220 ");
    DIALOGUE(EHLO, "R: MAIL FRO");
    DIALOGUE(DATA);
    DIALOGUE(DATA, "C: half a message");
    expect_messages(0);
}
END_TEST

static void make_stop(void)
{
    settings.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ck_assert_int_ge(settings.stop_fd, 0);
}

START_TEST(test_a_stop_ends_a_session_between_commands_at_once)
{
    make_stop();
    DIALOGUE("S: 220 ", "D:", "S: 421 4.3.2 ", "E:");
    make_stop();
    DIALOGUE(EHLO, "D:", "S: 421 4.3.2 ", "E:");
    make_stop();
    DIALOGUE(DATA, "C: one", "C: .", "S: 250 2.0.0 ", "W:", "D:", "S: 421 4.3.2 ", "E:");
    make_stop();
    DIALOGUE(ENVELOPE, "C: RSET", "S: 250 ", "W:", "D:", "S: 421 4.3.2 ", "E:");
    expect_messages(1);
}
END_TEST

START_TEST(test_a_stop_lets_a_transaction_finish)
{
    make_stop();
    DIALOGUE(EHLO, "C: MAIL FROM:<a@b.example>", "S: 250 2.1.0 ",
             "D:", "W:", "C: RCPT TO:<c@mx.example>", "S: 250 2.1.5 ", "W:", "C: DATA", "S: 354 ",
             "W:", "C: one", "W:", "C: .", "S: 250 2.0.0 ", "S: 421 4.3.2 ", "E:");
    make_stop();
    DIALOGUE(DATA, "D:", "W:", "C: two", "C: .", "S: 250 2.0.0 ", "S: 421 4.3.2 ", "E:");
    make_stop();
    DIALOGUE(ENVELOPE, "D:", "W:", "C: RSET", "S: 250 ", "S: 421 4.3.2 ", "E:");
    expect_messages(2);
}
END_TEST

static void make_stress(void)
{
    settings.stress_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ck_assert_int_ge(settings.stress_fd, 0);
    settings.stressed.command = settings.stressed.data_start = settings.stressed.data_block =
        50 * USEC_PER_MSEC;
}

START_TEST(test_under_stress_a_silent_client_is_sent_away)
{
    /* Whoever waits already is woken, in every state. */
    make_stress();
    DIALOGUE("S: 220 ", "P:", "S: 421 4.4.2 ", "E:");
    make_stress();
    DIALOGUE(EHLO, "C: MAIL FROM:<a@b.example>", "S: 250 2.1.0 ", "W:", "P:", "S: 421 4.4.2 ",
             "E:");
    make_stress();
    DIALOGUE(DATA, "W:", "P:", "S: 421 4.4.2 ", "E:");
    make_stress();
    DIALOGUE(DATA, "C: text", "W:", "P:", "S: 421 4.4.2 ", "E:");
    expect_messages(0);
}
END_TEST

START_TEST(test_under_stress_a_quick_client_is_served)
{
    make_stress();
    settings.stressed.command = settings.stressed.data_start = settings.stressed.data_block =
        5 * USEC_PER_SEC;
    DIALOGUE("S: 220 ", "P:", "C: EHLO client.example", "S: 250-", "S: 250-", "S: 250-", "S: 250-",
             "S: 250-", "S: 250 ", "C: MAIL FROM:<a@b.example>", "S: 250 2.1.0 ",
             "W:", "C: RCPT TO:<c@mx.example>", "S: 250 2.1.5 ", "C: DATA", "S: 354 ", "C: one",
             "C: .", "S: 250 2.0.0 ", "C: QUIT", "S: 221 ", "E:");
    expect_messages(1);
}
END_TEST

START_TEST(test_after_stress_a_silent_client_has_its_usual_time)
{
    make_stress();
    settings.timeouts.command = 5 * USEC_PER_SEC;
    DIALOGUE("S: 220 ", "P:", "Q:", "W:", "W:", "W:", "W:", "C: NOOP", "S: 250 ", "C: QUIT",
             "S: 221 ", "E:");
}
END_TEST

START_TEST(test_a_message_and_a_session_have_a_limit)
{
    /* Quicker than the rate, and always a next block in time. */
    settings.timeouts.message = 60 * USEC_PER_MSEC;
    DIALOGUE(DATA, "R: x", "W:", "R: x", "W:", "R: x", "W:", "R: x", "W:", "S: 421 4.4.2 ", "E:");
    settings.timeouts.message = session_timeouts_default.message;
    make_stress();
    settings.stressed = session_timeouts_default;
    settings.stressed.message = 60 * USEC_PER_MSEC;
    DIALOGUE(DATA, "P:", "R: x", "W:", "R: x", "W:", "R: x", "W:", "R: x", "W:", "S: 421 4.4.2 ",
             "E:");
    make_stress();
    settings.stressed = session_timeouts_default;
    settings.stressed.session = USEC_PER_SEC;
    DIALOGUE("S: 220 ", "P:", "C: NOOP", "S: 250 ", "W:", "C: NOOP", "S: 250 ", "S: 421 4.4.2 ",
             "E:");
    expect_messages(0);
}
END_TEST

SUITE("smtp_session", set_up, tear_down, test_delivers_a_message, test_one_file_for_all_recipients,
      test_pipelines_from_message_to_message, test_wants_commands_in_order,
      test_refuses_commands_it_does_not_offer, test_refuses_other_domains_and_bad_addresses,
      test_takes_utf8_where_it_was_announced, test_limits_command_lines,
      test_refuses_input_before_the_greeting, test_refuses_improper_pipelining,
      test_refuses_malformed_command_lines, test_never_takes_a_smuggled_end,
      test_refuses_bare_line_ends_in_data, test_counts_the_message_against_size,
      test_takes_what_it_has_no_room_for_and_says_so, test_says_451_where_it_cannot_write,
      test_limits_errors, test_limits_idle_commands, test_limits_recipients,
      test_times_out_and_says_so, test_a_dripping_client_does_not_hold_us,
      test_a_flooding_client_does_not_hold_us, test_logs_refused_recipients,
      test_survives_a_client_that_leaves, test_a_stop_ends_a_session_between_commands_at_once,
      test_a_stop_lets_a_transaction_finish, test_under_stress_a_silent_client_is_sent_away,
      test_under_stress_a_quick_client_is_served,
      test_after_stress_a_silent_client_has_its_usual_time,
      test_a_message_and_a_session_have_a_limit)
