/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* DNS lists as they are run in the world: rbldnsd of Debian, on loopback. */
#include "access/tcp.h"
#include "support/suite.h"

#include "base/macro.h"
#include "base/time.h"
#include "dns/dns_lists.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RBLDNSD "/usr/sbin/rbldnsd"

#define SOA_AND_TTL "$SOA 60 ns.test. hostmaster.test. 1 600 300 86400 60\n$TTL 120\n"

static const struct {
    const char *name;
    const char *data;
} files[] = {
    {"ip4", SOA_AND_TTL ":127.0.0.4:Listed, see https://list.test/?$\n"
                        "127.0.0.2\n192.0.2.0/25\n!192.0.2.9\n"},
    {"ip6", SOA_AND_TTL ":127.0.0.5:IPv6 $\n2001:db8:1::/48\n"},
    {"world", SOA_AND_TTL ":127.0.0.2:all\n0.0.0.0/1\n128.0.0.0/1\n"},
    {"refuses", SOA_AND_TTL ":127.255.255.254:open resolver\n0.0.0.0/1\n128.0.0.0/1\n"},
};

static sd_event *event;
static struct dns_lists *lists;
static char folder[] = "/tmp/dispatcherd-rbldnsd-XXXXXX";
static char server[32];
static pid_t rbldnsd;

static void write_files(void)
{
    char path[128];

    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chmod(folder, 0755), 0);
    for (size_t i = 0; i < ELEMENTSOF(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, files[i].name);
        FILE *file = fopen(path, "we");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_ge(fputs(files[i].data, file), 0);
        ck_assert_int_eq(fclose(file), 0);
        ck_assert_int_eq(chmod(path, 0644), 0);
    }
}

static void remove_files(void)
{
    char path[128];

    for (size_t i = 0; i < ELEMENTSOF(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, files[i].name);
        unlink(path);
    }
    rmdir(folder);
}

/* A UDP socket: bound to a free port, or connected to `to`. */
static int udp_socket(struct sockaddr_in *to)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(own);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    if (to->sin_port != 0) {
        ck_assert_int_eq(connect(fd, (const struct sockaddr *)to, sizeof(*to)), 0);
        return fd;
    }
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&own, length), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)to, &length), 0);
    return fd;
}

/* Asks for list.test until there is an answer, of whatever kind. */
static void wait_for_server(struct sockaddr_in address)
{
    static const char query[] = "\0\1\0\0\0\1\0\0\0\0\0\0\4list\4test\0\0\1\0\1";
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + TCP_WAIT_SEC * USEC_PER_SEC;
    char answer[512];
    ssize_t n;

    do {
        ck_assert_msg(time_now_usec(CLOCK_MONOTONIC) < end, "rbldnsd does not answer");
        ck_assert_int_eq(waitpid(rbldnsd, NULL, WNOHANG), 0);
        int fd = udp_socket(&address);
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        (void)send(fd, query, sizeof(query) - 1, 0);
        (void)poll(&poll_fd, 1, 20);
        n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
        close(fd);
        /* Refused at once: it does not listen yet. */
        if (n < 0)
            (void)poll(NULL, 0, 5);
    } while (n <= 0);
}

static void start_rbldnsd(uint16_t port)
{
    char bind_to[32];

    snprintf(bind_to, sizeof(bind_to), "127.0.0.1/%u", port);
    const char *arguments[] = {
        RBLDNSD,
        "-n",
        "-b",
        bind_to,
        "-w",
        folder,
        "list.test:ip4set:ip4",
        "list.test:ip6trie:ip6",
        "world.test:ip4trie:world",
        "refuses.test:ip4trie:refuses",
        geteuid() == 0 ? "-u" : NULL,
        "nobody:nogroup",
        NULL,
    };
    rbldnsd = fork();
    ck_assert_int_ge(rbldnsd, 0);
    if (rbldnsd > 0)
        return;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    (void)dup2(null_fd, STDOUT_FILENO);
    execv(RBLDNSD, (char *const *)arguments);
    _exit(127);
}

static void setup(void)
{
    const struct dns_lists_callbacks callbacks = {0};
    struct sockaddr_in address = {.sin_family = AF_INET};

    write_files();
    close(udp_socket(&address));
    start_rbldnsd(ntohs(address.sin_port));
    wait_for_server(address);
    snprintf(server, sizeof(server), "127.0.0.1:%u", ntohs(address.sin_port));
    ck_assert_int_ge(sd_event_new(&event), 0);
    ck_assert_int_eq(dns_lists_new(event, server, &callbacks, &lists), 0);
}

static void teardown(void)
{
    dns_lists_free(lists);
    sd_event_unref(event);
    kill(rbldnsd, SIGTERM);
    (void)waitpid(rbldnsd, NULL, 0);
    remove_files();
}

struct result {
    bool is_done;
    struct dns_lists_answer answer;
    char text[DNS_TEXT_MAX + 1];
};

static void keep(struct result *result, const struct dns_lists_answer *answer)
{
    result->is_done = true;
    result->answer = *answer;
    if (answer->text)
        snprintf(result->text, sizeof(result->text), "%s", answer->text);
}

static void on_answer(_unused_ struct dns_request *request, const struct dns_lists_answer *answer,
                      void *userdata)
{
    keep(userdata, answer);
}

static struct result ask(const char *client, const char *zone)
{
    struct result result = {0};
    struct address address;
    struct dns_request *request;
    struct dns_lists_answer answer;

    ck_assert_int_eq(address_parse(client, &address), 0);
    const struct dns_lists_question question = {
        .client = &address, .zones = &zone, .n_zones = 1, .wants_text = true};
    int r = dns_lists_ask(lists, &question, on_answer, &result, &request, &answer);
    ck_assert_int_ge(r, 0);
    if (r > 0)
        keep(&result, &answer);
    else
        loop_until_flag(event, &result.is_done);
    return result;
}

START_TEST(test_a_list_of_both_families)
{
    struct result result = ask("192.0.2.1", "list.test");

    ck_assert_int_eq(result.answer.outcome, DNS_LISTS_LISTED);
    ck_assert_str_eq(result.text, "Listed, see https://list.test/?192.0.2.1");
    result = ask("2001:db8:1::7", "list.test");
    ck_assert_int_eq(result.answer.outcome, DNS_LISTS_LISTED);
    ck_assert_ptr_eq(strstr(result.text, "IPv6"), result.text);
    ck_assert_int_eq(ask("192.0.2.9", "list.test").answer.outcome, DNS_LISTS_CLEAN);
    ck_assert_int_eq(ask("192.0.2.129", "list.test").answer.outcome, DNS_LISTS_CLEAN);
    ck_assert_int_eq(ask("2001:db8:2::7", "list.test").answer.outcome, DNS_LISTS_CLEAN);

    struct dns_zone_figures figures;
    ck_assert_ptr_nonnull(dns_lists_next_zone(lists, NULL, &figures));
    ck_assert(!figures.is_set_aside);
    ck_assert(!figures.lacks_test_entry);
    ck_assert_uint_eq(figures.n_queries, 5);
    ck_assert_uint_eq(figures.n_listed, 2);
}
END_TEST

START_TEST(test_lists_that_would_turn_everybody_away)
{
    ck_assert_int_ne(ask("192.0.2.1", "world.test").answer.outcome, DNS_LISTS_LISTED);
    ck_assert_int_eq(ask("192.0.2.2", "world.test").answer.outcome, DNS_LISTS_SET_ASIDE);
    ck_assert_int_ne(ask("192.0.2.1", "refuses.test").answer.outcome, DNS_LISTS_LISTED);
    ck_assert_int_eq(ask("192.0.2.2", "refuses.test").answer.outcome, DNS_LISTS_SET_ASIDE);
}
END_TEST

/* It refuses what it does not serve. */
START_TEST(test_a_zone_that_is_not_there)
{
    ck_assert_int_ne(ask("192.0.2.1", "other.test").answer.outcome, DNS_LISTS_LISTED);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("dns_rbldnsd");
    TCase *tests = tcase_create("dns_rbldnsd");

    if (access(RBLDNSD, X_OK) < 0) {
        puts("skipped: rbldnsd was not found; on Debian: apt-get install rbldnsd");
        exit(77);
    }
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_a_list_of_both_families);
    tcase_add_test(tests, test_lists_that_would_turn_everybody_away);
    tcase_add_test(tests, test_a_zone_that_is_not_there);
    suite_add_tcase(suite, tests);
    return suite;
}
