/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/smtp_dialogue.h"
#include "workers/tls_files.h"

#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PATIENCE_MSEC = 60000,
    PAUSE_USEC = 20000,
};

struct client {
    const struct session_settings *settings;
    int client_fd, server_fd;
    SSL *tls; /* NULL: in plain text */
    bool is_tls_port;
    char sent[65536]; /* what is to be sent as one piece */
    size_t n_sent;
    char received[8192];
    size_t n_received;
};

static void *run_session(void *userdata)
{
    const struct client *client = userdata;
    const struct session_peer peer = {
        .connection_id = "0123456789abcdef",
        .host = "192.0.2.1",
        .port = 4711,
        .is_tls = client->is_tls_port,
    };

    session_run(client->settings, &peer, client->server_fd);
    close(client->server_fd);
    return NULL;
}

static void flush(struct client *client)
{
    const char *next = client->sent;

    while (client->n_sent > 0) {
        ssize_t n = client->tls ? SSL_write(client->tls, next, (int)client->n_sent)
                                : send(client->client_fd, next, client->n_sent, MSG_NOSIGNAL);

        ck_assert_msg(n > 0, "cannot send: %m");
        next += n;
        client->n_sent -= (size_t)n;
    }
}

static void add(struct client *client, const char *text, const char *end)
{
    size_t length = strlen(text) + strlen(end);

    ck_assert_uint_lt(client->n_sent + length, sizeof(client->sent));
    client->n_sent += (size_t)sprintf(client->sent + client->n_sent, "%s%s", text, end);
}

/* Reads until there is a whole line, or the end. Returns the line's length, or 0. */
static size_t read_line(struct client *client, char *line)
{
    for (;;) {
        struct pollfd entry = {.fd = client->client_fd, .events = POLLIN};
        char *end = memmem(client->received, client->n_received, "\r\n", 2);

        if (end) {
            size_t length = (size_t)(end - client->received);

            memcpy(line, client->received, length);
            line[length] = '\0';
            client->n_received -= length + 2;
            memmove(client->received, end + 2, client->n_received);
            return length;
        }
        bool has_some = client->tls && SSL_pending(client->tls) > 0;
        ck_assert_msg(has_some || poll(&entry, 1, PATIENCE_MSEC) == 1, "the server says nothing");
        char *place = client->received + client->n_received;
        size_t room = sizeof(client->received) - client->n_received;
        ssize_t n = client->tls ? SSL_read(client->tls, place, (int)room)
                                : recv(client->client_fd, place, room, 0);
        if (n <= 0) {
            ck_assert_uint_eq(client->n_received, 0);
            return 0;
        }
        client->n_received += (size_t)n;
    }
}

static void shake_hands(struct client *client, const char *host, bool fails)
{
    ck_assert_uint_eq(client->n_received, 0);
    client->tls = tls_client_new(client->client_fd, *host ? host : NULL);
    ck_assert_int_eq(SSL_connect(client->tls) == 1, !fails);
}

static void take_step(struct client *client, size_t number, const char *step)
{
    const char *text = strlen(step) > 3 ? step + 3 : "";
    char line[sizeof(client->received)];
    eventfd_t count;

    if (*step != 'C' && *step != 'R')
        flush(client);
    switch (*step) {
    case 'C':
        add(client, text, "\r\n");
        break;
    case 'R':
        add(client, text, "");
        break;
    case 'S':
        ck_assert_msg(read_line(client, line) > 0, "step %zu: end of file instead of '%s'", number,
                      text);
        ck_assert_msg(strncmp(line, text, strlen(text)) == 0, "step %zu: '%s' instead of '%s'",
                      number, line, text);
        break;
    case 'T':
        shake_hands(client, text, false);
        break;
    case 'X':
        shake_hands(client, text, true);
        break;
    case 'N':
        ck_assert_int_eq(SSL_shutdown(client->tls), 0);
        break;
    case 'E':
        ck_assert_msg(read_line(client, line) == 0, "step %zu: '%s' instead of the end", number,
                      line);
        ck_assert_msg(!client->tls || SSL_get_shutdown(client->tls) & SSL_RECEIVED_SHUTDOWN,
                      "step %zu: no close_notify", number);
        break;
    case 'D':
        ck_assert_int_eq(eventfd_write(client->settings->stop_fd, 1), 0);
        break;
    case 'P':
        ck_assert_int_eq(eventfd_write(client->settings->stress_fd, 1), 0);
        break;
    case 'Q':
        ck_assert_int_eq(eventfd_read(client->settings->stress_fd, &count), 0);
        break;
    case 'W':
        usleep(PAUSE_USEC);
        break;
    default:
        ck_abort_msg("step %zu: '%s'", number, step);
    }
}

static void run_dialogue(const struct session_settings *settings, bool is_tls_port,
                         const char *const steps[])
{
    struct client client = {.settings = settings, .is_tls_port = is_tls_port};
    pthread_t thread;
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    client.client_fd = fds[0];
    client.server_fd = fds[1];
    /* A dialogue that starts with the client lets it speak before the session does. */
    size_t i = 0;
    for (; steps[i] && (*steps[i] == 'C' || *steps[i] == 'R'); i++)
        take_step(&client, i, steps[i]);
    flush(&client);
    ck_assert_int_eq(pthread_create(&thread, NULL, run_session, &client), 0);
    for (; steps[i]; i++)
        take_step(&client, i, steps[i]);
    flush(&client);
    close(client.client_fd);
    tls_client_free(client.tls);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

void smtp_dialogue(const struct session_settings *settings, const char *const steps[])
{
    run_dialogue(settings, false, steps);
}

void smtp_dialogue_of_tls_port(const struct session_settings *settings, const char *const steps[])
{
    run_dialogue(settings, true, steps);
}
