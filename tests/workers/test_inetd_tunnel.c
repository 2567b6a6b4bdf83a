/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* TLS of a session of inetd, with the client on a thread of its own. */
#include "support/suite.h"
#include "workers/tls_files.h"

#include "base/fd.h"
#include "libdispatcher/internal.h"
#include "workers/inetd/tunnel.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DAY 86400L

static struct tls_files files;
static struct tls_settings settings;
static struct tls_context *context;
static dispatcher_worker worker;
static dispatcher_connection connection;
static struct tunnel *tunnel;
static int client_fd, program_fd;
static char received[16];
static bool is_told_end; /* close_notify */
static bool is_flooding;
static pthread_t thread;

/* More than a pair of sockets holds (212,992 bytes, with what the kernel counts besides), less than
 * two do. */
static const char flood[240 * 1024];

/* Sends a byte for each that comes, and is content with the server's end. */
static void *be_client(_unused_ void *userdata)
{
    SSL *client = tls_client_new(client_fd, NULL);
    size_t n = 0;

    ck_assert_int_eq(SSL_connect(client), 1);
    if (is_flooding)
        ck_assert_int_eq(SSL_write(client, flood, sizeof(flood)), sizeof(flood));
    while (!is_flooding && n < sizeof(received) - 1 && SSL_read(client, received + n, 1) == 1)
        if (SSL_write(client, received + n++, 1) != 1)
            break;
    is_told_end = SSL_get_shutdown(client) & SSL_RECEIVED_SHUTDOWN;
    tls_client_free(client);
    /* With unread bytes, that is a reset. */
    client_fd = fd_close(client_fd);
    return NULL;
}

static void begin(bool floods)
{
    const int size = 4 * sizeof(flood);
    char fault[PARAMETER_TEXT_MAX];
    int fds[2];

    signal(SIGPIPE, SIG_IGN);
    tls_files_make(&files);
    tls_files_add(&files, "one", (const char *const[]){"one.example", NULL}, 90 * DAY);
    settings = (struct tls_settings){0};
    ck_assert_int_eq(str_list_append(&settings.certificates, tls_files_path(&files, "one.cert")),
                     0);
    ck_assert_int_eq(str_list_append(&settings.keys, tls_files_path(&files, "one.key")), 0);
    ck_assert_int_eq(tls_context_new(&settings, 8, &context, fault), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    client_fd = fds[0];
    (void)setsockopt(client_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    is_flooding = floods;
    memset(received, 0, sizeof(received));
    tls_init(&worker.tls);
    worker.stress.fd = -1;
    connection = (dispatcher_connection){.worker = &worker, .fd = fds[1]};
    ck_assert_int_eq(pthread_create(&thread, NULL, be_client, NULL), 0);
    ck_assert_int_eq(tunnel_open(&tunnel, context, &connection), 0);
    program_fd = dup(tunnel_program_fd(tunnel));
    tunnel_begin(tunnel);
}

static void set_up(void)
{
    begin(false);
}

static void set_up_flood(void)
{
    begin(true);
}

static void tear_down(void)
{
    tunnel_close(tunnel);
    fd_close(connection.fd);
    fd_close(program_fd);
    free(connection.tls);
    tls_context_free(context);
    tls_settings_clear(&settings);
    tls_files_remove(&files);
}

static void expect_the_end(void)
{
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_str_eq(received, "bye");
    ck_assert(is_told_end);
}

START_TEST(test_the_client_gets_what_the_program_wrote_last)
{
    ck_assert_int_eq(write(program_fd, "bye", 3), 3);
    program_fd = fd_close(program_fd);
    tunnel_finish(tunnel);
    expect_the_end();
}
END_TEST

/* It and the client could go on for ever. */
START_TEST(test_a_process_that_is_left_holds_no_session)
{
    ck_assert_int_eq(write(program_fd, "bye", 3), 3);
    tunnel_finish(tunnel);
    expect_the_end();
    ck_assert_int_lt(write(program_fd, "more", 4), 0);
}
END_TEST

/* Nothing more can be read from the client until the program takes what came. */
START_TEST(test_a_client_that_resets_is_gone_though_nobody_reads)
{
    enum tunnel_state state = TUNNEL_HAS_MORE;

    ck_assert_int_eq(write(program_fd, "bye", 3), 3);
    while (state == TUNNEL_HAS_MORE || state == TUNNEL_IS_OPEN) {
        struct pollfd pollfd = {.fd = tunnel_fd(tunnel), .events = POLLIN};

        ck_assert_int_ge(poll(&pollfd, 1, state == TUNNEL_HAS_MORE ? 0 : -1), 0);
        state = tunnel_move(tunnel);
    }
    ck_assert_int_eq(state, TUNNEL_CLIENT_GONE);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("inetd_tunnel");

    ADD_FIXTURE_TESTS(suite, "reset", set_up_flood, tear_down,
                      test_a_client_that_resets_is_gone_though_nobody_reads);
    ADD_FIXTURE_TESTS(suite, "tunnel", set_up, tear_down,
                      test_the_client_gets_what_the_program_wrote_last,
                      test_a_process_that_is_left_holds_no_session);
    return suite;
}
