/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* IDENT as it is run in the world: oidentd of Debian, on loopback, asked about a real connection of
 * this very test. */
#include "access/tcp.h"
#include "support/suite.h"

#include "access/ident_client.h"
#include "base/time.h"

#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OIDENTD "/usr/sbin/oidentd"

struct result {
    bool is_done;
    char user[IDENT_USER_MAX + 1];
};

static sd_event *event;
static struct ident_clients *clients;
static pid_t oidentd;
static char config_path[64];

static struct address name_of(int fd, bool is_peer)
{
    struct sockaddr_storage sa;
    socklen_t length = sizeof(sa);
    int r = is_peer ? getpeername(fd, (struct sockaddr *)&sa, &length)
                    : getsockname(fd, (struct sockaddr *)&sa, &length);

    ck_assert_int_eq(r, 0);
    return address_from_sockaddr((const struct sockaddr *)&sa, length);
}

/* With a configuration of our own: what Debian delivers says nothing about root from 3.0 on. */
static void write_config(const char *capability)
{
    int fd = mkstemp(strcpy(config_path, "/tmp/test_ident_oidentd.XXXXXX"));

    ck_assert_int_ge(fd, 0);
    ck_assert_int_gt(dprintf(fd, "default { default { %s } }\n", capability), 0);
    /* oidentd reads it as another user. */
    ck_assert_int_eq(fchmod(fd, 0644), 0);
    close(fd);
}

static void start_oidentd(uint16_t port)
{
    char text[8];

    snprintf(text, sizeof(text), "%u", port);
    oidentd = fork();
    ck_assert_int_ge(oidentd, 0);
    if (oidentd > 0)
        return;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl(OIDENTD, OIDENTD, "--foreground", "--address=127.0.0.1", "--port", text, "--config",
          config_path, NULL);
    _exit(127);
}

static void wait_for_server(struct address address)
{
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + TCP_WAIT_SEC * USEC_PER_SEC;
    struct sockaddr_storage sa;
    socklen_t length = address_to_sockaddr(&address, &sa);
    int r;

    do {
        ck_assert_msg(time_now_usec(CLOCK_MONOTONIC) < end, "oidentd does not listen");
        ck_assert_int_eq(waitpid(oidentd, NULL, WNOHANG), 0);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        r = connect(fd, (const struct sockaddr *)&sa, length);
        close(fd);
        if (r < 0)
            (void)poll(NULL, 0, 5);
    } while (r < 0);
}

static void start(const char *capability)
{
    int listener = tcp_listen(false);
    struct address address = name_of(listener, false);

    close(listener);
    write_config(capability);
    start_oidentd(address.port);
    wait_for_server(address);
    ck_assert_int_ge(sd_event_new(&event), 0);
    ck_assert_int_eq(ident_clients_new(event, address.port, &clients), 0);
}

static void setup_naming(void)
{
    start("deny hide");
}

static void setup_hiding(void)
{
    start("force hide");
}

static void teardown(void)
{
    ident_clients_free(clients);
    sd_event_unref(event);
    kill(oidentd, SIGTERM);
    (void)waitpid(oidentd, NULL, 0);
    unlink(config_path);
}

static void on_user(const char *user, void *userdata)
{
    struct result *result = userdata;

    result->is_done = true;
    if (user)
        snprintf(result->user, sizeof(result->user), "%s", user);
}

static struct result ask(const struct address *server, const struct address *client)
{
    struct result result = {0};
    struct ident_request *request;

    ck_assert_int_eq(ident_ask(clients, server, client, on_user, &result, &request), 0);
    loop_until_flag(event, &result.is_done);
    return result;
}

START_TEST(test_names_the_user_of_a_connection)
{
    const struct passwd *passwd = getpwuid(geteuid());
    int client_fd, server_fd;

    ck_assert_ptr_nonnull(passwd);
    tcp_pair(&client_fd, &server_fd);
    struct address server = name_of(server_fd, false);
    struct address client = name_of(server_fd, true);
    ck_assert_str_eq(ask(&server, &client).user, passwd->pw_name);
    close(client_fd);
    close(server_fd);
}
END_TEST

/* The server answers HIDDEN-USER (RFC 1413): nobody is named. */
START_TEST(test_a_hidden_user_is_none)
{
    int client_fd, server_fd;

    tcp_pair(&client_fd, &server_fd);
    struct address server = name_of(server_fd, false);
    struct address client = name_of(server_fd, true);
    ck_assert_str_eq(ask(&server, &client).user, "");
    close(client_fd);
    close(server_fd);
}
END_TEST

START_TEST(test_a_connection_that_is_not_there_has_none)
{
    struct address server, client;

    ck_assert_int_eq(address_parse("127.0.0.1", &server), 0);
    client = server;
    server.port = 1;
    client.port = 2;
    ck_assert_str_eq(ask(&server, &client).user, "");
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("ident_oidentd");
    TCase *naming = tcase_create("naming"), *hiding = tcase_create("hiding");

    if (access(OIDENTD, X_OK) < 0) {
        puts("skipped: oidentd was not found; on Debian: apt-get install oidentd");
        exit(77);
    }
    tcase_add_checked_fixture(naming, setup_naming, teardown);
    tcase_add_test(naming, test_names_the_user_of_a_connection);
    tcase_add_test(naming, test_a_connection_that_is_not_there_has_none);
    suite_add_tcase(suite, naming);
    tcase_add_checked_fixture(hiding, setup_hiding, teardown);
    tcase_add_test(hiding, test_a_hidden_user_is_none);
    suite_add_tcase(suite, hiding);
    return suite;
}
