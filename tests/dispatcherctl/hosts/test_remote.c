/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How hosts are named, what ssh is started with, and why a host is away. */
#include "base/macro.h"
#include "base/time.h"
#include "dispatcherctl/hosts/remote.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMIT_USEC (20 * USEC_PER_SEC)

static char folder[] = "/tmp/test_remote.XXXXXX";
static char program[128];

/* A program in the place of ssh. */
static void set_ssh(const char *script)
{
    FILE *file;

    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert(mkdtemp(folder) != NULL);
    snprintf(program, sizeof(program), "%s/ssh", folder);
    file = fopen(program, "we");
    ck_assert(file != NULL);
    fprintf(file, "#!/bin/sh\n%s\n", script);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(program, 0700), 0);
    setenv(REMOTE_SSH_VARIABLE, program, 1);
}

static void remove_ssh(void)
{
    unlink(program);
    rmdir(folder);
}

/* Why a call to the host fails. */
static void check_reason(const char *script, const char *host, uint64_t limit_usec,
                         const char *expected)
{
    char reason[REMOTE_REASON_MAX];
    struct remote remote;
    json_t *reply = NULL;

    set_ssh(script);
    ck_assert_int_eq(remote_open(host, "/run/it's/control", LIMIT_USEC, &remote), 0);
    int r = client_call(&remote.client, "Status", json_object(), limit_usec, &reply);
    ck_assert_int_lt(r, 0);
    remote_explain(&remote, "/run/it's/control", r, limit_usec, reason);
    ck_assert_str_eq(reason, expected);
    remote_close(&remote);
    remove_ssh();
}

START_TEST(test_knows_names_of_hosts)
{
    static const struct {
        const char *host;
        bool is_valid;
    } cases[] = {
        {"mail1", true},       {"root@mail1.example.com", true},
        {"mail1:2222", true},  {"192.0.2.1", true},
        {"2001:db8::1", true}, {"tom@[2001:db8::1]:2222", true},
        {"[::1]", true},       {".host", true},
        {"", false},           {"-oProxyCommand=id", false},
        {"a b", false},        {"mail1:", false},
        {"mail1:x", false},    {"mail1:123456", false},
        {":22", false},        {"tom@", false},
        {"a\nb", false},       {"\xc3\xa9", false},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        ck_assert_msg(remote_is_valid(cases[i].host) == cases[i].is_valid, "'%s'", cases[i].host);
}
END_TEST

START_TEST(test_gives_ssh_one_command_for_a_shell)
{
    check_reason(
        "shift 3; echo \"$@\" >&2", "tom@[2001:db8::1]:2222", LIMIT_USEC,
        "-p 2222 -- tom@2001:db8::1 dispatcherctl --socket '/run/it'\\''s/control' bridge");
}
END_TEST

START_TEST(test_gives_ssh_no_port_of_its_own)
{
    check_reason("shift 3; echo \"$@\" >&2", "2001:db8::1", LIMIT_USEC,
                 "-- 2001:db8::1 dispatcherctl --socket '/run/it'\\''s/control' bridge");
}
END_TEST

START_TEST(test_never_lets_ssh_ask)
{
    check_reason("echo \"$1 $2 $3\" >&2", "mail1", LIMIT_USEC,
                 "-xT -oBatchMode=yes -oConnectTimeout=20");
}
END_TEST

START_TEST(test_names_the_last_that_ssh_says)
{
    check_reason("printf 'Welcome.\\n\\nPermission denied.\\r\\n\\n' >&2; exit 255", "mail1",
                 LIMIT_USEC, "Permission denied.");
}
END_TEST

START_TEST(test_prefers_what_the_other_dispatcherctl_says)
{
    check_reason("printf 'dispatcherctl: it is \\033 not running\\n(start it)\\n' >&2; exit 1",
                 "mail1", LIMIT_USEC, "it is ? not running");
}
END_TEST

START_TEST(test_a_banner_does_not_hide_the_reason)
{
    check_reason("printf 'dispatcherctl: welcome\nPermission denied.\n' >&2; exit 255", "mail1",
                 LIMIT_USEC, "Permission denied.");
    check_reason(
        "printf 'dispatcherctl: welcome\ndispatcherctl: not running\n(start it)\n' >&2; exit 1",
        "mail1", LIMIT_USEC, "not running");
    check_reason("echo welcome >&2; printf 'no JSON\\0'; exec cat >/dev/null", "mail1", LIMIT_USEC,
                 "the program that listens on /run/it's/control is not dispatcherd");
}
END_TEST

START_TEST(test_debug_lines_are_no_reason)
{
    check_reason("printf 'debug1: x\nno way\r\ndebug3: y\r\nTransferred: sent 1\n"
                 "Bytes per second: 2\n' >&2; exit 255",
                 "mail1", LIMIT_USEC, "no way");
}
END_TEST

/* More than a pipe takes: who does not read it makes ssh wait. */
#define WRITE_MUCH "head -c 300000 /dev/zero | tr '\\0' x >&2; echo >&2; "

START_TEST(test_an_ssh_that_writes_much_is_not_blocked)
{
    struct remote remote;
    json_t *reply = NULL;

    set_ssh(WRITE_MUCH "printf '{\"parameters\":{}}\\0'; exec cat >/dev/null");
    ck_assert_int_eq(remote_open("mail1", "/control", LIMIT_USEC, &remote), 0);
    ck_assert_int_eq(client_call(&remote.client, "Status", json_object(), LIMIT_USEC, &reply), 0);
    json_decref(reply);
    remote_close(&remote);
    remove_ssh();
    check_reason(WRITE_MUCH "echo gone >&2; exit 255", "mail1", LIMIT_USEC, "gone");
}
END_TEST

START_TEST(test_ends_an_ssh_that_does_not_answer)
{
    check_reason("echo so far >&2; exec sleep 1000", "mail1", USEC_PER_SEC, "no answer within 1 s");
}
END_TEST

/* A process of ControlPersist keeps the standard error of ssh. Whoever reads to its end reads more.
 */
START_TEST(test_does_not_wait_for_what_ssh_leaves_behind)
{
    check_reason("(sleep 8; echo left behind >&2) <&- >&- & echo gone >&2; exit 255", "mail1",
                 LIMIT_USEC, "gone");
}
END_TEST

START_TEST(test_names_a_lack_of_ssh)
{
    char reason[REMOTE_REASON_MAX];
    struct remote remote;

    setenv(REMOTE_SSH_VARIABLE, "/nonexistent/ssh", 1);
    int r = remote_open("mail1", "/control", LIMIT_USEC, &remote);
    ck_assert_int_eq(r, -ENOENT);
    remote_explain(&remote, "/control", r, LIMIT_USEC, reason);
    ck_assert_str_eq(reason, "cannot start ssh: No such file or directory");
    remote_close(&remote);
}
END_TEST

START_TEST(test_asks_this_host_without_ssh)
{
    char reason[REMOTE_REASON_MAX];
    struct remote remote;

    setenv(REMOTE_SSH_VARIABLE, "/nonexistent/ssh", 1);
    int r = remote_open(".host", "/nonexistent/control", LIMIT_USEC, &remote);
    ck_assert_int_eq(r, -ENOENT);
    remote_explain(&remote, "/nonexistent/control", r, LIMIT_USEC, reason);
    ck_assert_str_eq(reason, "dispatcherd is not running: nothing listens on /nonexistent/control");
    remote_close(&remote);
}
END_TEST

SUITE("remote", NULL, NULL, test_knows_names_of_hosts, test_gives_ssh_one_command_for_a_shell,
      test_gives_ssh_no_port_of_its_own, test_never_lets_ssh_ask, test_names_the_last_that_ssh_says,
      test_prefers_what_the_other_dispatcherctl_says, test_a_banner_does_not_hide_the_reason,
      test_debug_lines_are_no_reason, test_an_ssh_that_writes_much_is_not_blocked,
      test_ends_an_ssh_that_does_not_answer, test_does_not_wait_for_what_ssh_leaves_behind,
      test_names_a_lack_of_ssh, test_asks_this_host_without_ssh)
