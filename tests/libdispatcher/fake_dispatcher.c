/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "libdispatcher/fake_dispatcher.h"

#include "base/fd.h"
#include "libdispatcher/internal.h"
#include "protocol/channel.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct fake_welcome fake_welcome_default(void)
{
    return (struct fake_welcome){
        .version = "1",
        .max_conns = "10",
        .stacksize = "0",
        .drain_limit = "3600",
        .log_fd = -1,
    };
}

/* Returns 0 in the child, whose channel is descriptor 3. */
static pid_t start(struct fake_dispatcher *fake)
{
    const int on = 1;
    int pair[2];

    ring_reader_free(&fake->ring);
    memset(fake, 0, sizeof(*fake));
    fake->errors = memfd_create("errors", MFD_CLOEXEC);
    ck_assert_int_ge(fake->errors, 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
    fflush(NULL);
    fake->worker = fork();
    ck_assert_int_ge(fake->worker, 0);
    if (fake->worker == 0) {
        /* Check's own handlers would end the test. */
        signal(SIGTERM, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        dup2(fake->errors, STDOUT_FILENO);
        dup2(fake->errors, STDERR_FILENO);
        if (pair[1] != PROTOCOL_CHANNEL_FD)
            dup2(pair[1], PROTOCOL_CHANNEL_FD);
        else
            fd_set_cloexec(PROTOCOL_CHANNEL_FD, false);
        close_range(PROTOCOL_CHANNEL_FD + 1, ~0u, 0);
        return 0;
    }
    fake->channel = pair[0];
    fd_close(pair[1]);
    return fake->worker;
}

void fake_start(struct fake_dispatcher *fake, const struct dispatcher_worker_callbacks *callbacks,
                int welcome_limit_msec)
{
    if (start(fake) == 0) {
        int r = worker_run(callbacks, NULL, welcome_limit_msec);
        fflush(NULL);
        _exit(-r);
    }
}

void fake_start_program(struct fake_dispatcher *fake, char *const argv[])
{
    if (start(fake) == 0) {
        setenv("LISTEN_FDS", "1", 1);
        execvp(argv[0], argv);
        _exit(127);
    }
}

void fake_send_packet(struct fake_dispatcher *fake, const void *bytes, size_t length,
                      const int fds[], size_t n_fds)
{
    ck_assert_uint_gt(length, 0);
    int r = channel_send(fake->channel, bytes, length, fds, n_fds);
    ck_assert_msg(r == 0, "sending to the worker: %s; it says: %s", strerror(-r),
                  fake_text_of(fake->errors));
}

void fake_send_value(struct fake_dispatcher *fake, enum message_type type, uint32_t value)
{
    uint8_t bytes[sizeof(struct message_header)];

    fake_send_packet(fake, bytes, message_write_value(bytes, sizeof(bytes), type, value), NULL, 0);
}

/* Another ring. Returns its descriptor; -1: the worker has none. */
static int add_ring(struct fake_dispatcher *fake, struct message_text *text, unsigned n_places)
{
    int fd;

    if (!fake->has_asked_ring)
        return -1;
    ring_reader_free(&fake->ring);
    ck_assert_int_eq(ring_reader_open(&fake->ring, n_places, &fd), 0);
    message_text_add_number(text, "RING", fake->ring.n_entries);
    return fd;
}

void fake_send_welcome(struct fake_dispatcher *fake, const struct fake_welcome *welcome)
{
    static char bytes[MESSAGE_BYTES_MAX];
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_WELCOME);
    _cleanup_fd_ int ring = -1;
    int fds[2];
    size_t n_fds = 0;

    message_text_add(&text, "VERSION", welcome->version);
    message_text_add(&text, "SERVICE", "Smtp_Submit");
    message_text_add(&text, "SLOT", "3");
    message_text_add(&text, "MAX_CONNS", welcome->max_conns);
    message_text_add(&text, "STACKSIZE", welcome->stacksize);
    /* All bits but those that make the library talk. */
    message_text_add_number(&text, "DEBUG", FAKE_DEBUG);
    message_text_add(&text, "DRAIN_LIMIT", welcome->drain_limit);
    message_text_add(&text, "HOST_NAME", "freddy.example.org");
    message_text_add(&text, "OF_A_LATER_VERSION", "1");
    for (size_t i = 0; i < ELEMENTSOF(welcome->parameters) && welcome->parameters[i]; i++)
        message_text_add(&text, "PARAMETER", welcome->parameters[i]);
    ring = add_ring(fake, &text, FAKE_PLACES_MAX);
    ck_assert(!text.is_too_long);
    if (ring >= 0)
        fds[n_fds++] = ring;
    if (welcome->log_fd >= 0)
        fds[n_fds++] = welcome->log_fd;
    ck_assert_int_eq(channel_send(fake->channel, bytes, text.length, fds, n_fds), 0);
}

void fake_greet(struct fake_dispatcher *fake, const struct fake_welcome *welcome)
{
    fake_expect_hello(fake);
    fake_send_welcome(fake, welcome);
    fake_read(fake);
    ck_assert_msg(fake->n_ready > 0, "not ready; the worker says: %s", fake_text_of(fake->errors));
}

size_t fake_connect_as(struct fake_dispatcher *fake, struct connection_record record,
                       const char *tag, const char *note)
{
    alignas(8)
        uint8_t bytes[sizeof(struct message_header) + sizeof(record) + 2 * CONNECTION_TEXT_MAX];
    size_t index = fake->n_connections++;
    int pair[2];

    ck_assert_uint_lt(index, FAKE_CONNECTIONS_MAX);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    fake->connections[index] =
        (struct fake_connection){.state = FAKE_SENT, .client = pair[0], .server = pair[1]};
    record.id = FAKE_FIRST_ID + index;
    fake_send_packet(
        fake, bytes,
        message_write_connection(bytes, sizeof(bytes), MESSAGE_CONNECTION, &record, tag, note),
        &pair[1], 1);
    return index;
}

size_t fake_connect(struct fake_dispatcher *fake)
{
    return fake_connect_as(fake, (struct connection_record){.peer.family = AF_UNIX}, "", "");
}

const char *fake_ask(struct fake_dispatcher *fake, size_t connection, const char *question)
{
    static char text[4096];
    int client = fake->connections[connection].client;
    struct pollfd pollfd = {.fd = client, .events = POLLIN};
    size_t length = 0;

    ck_assert_int_eq(write(client, question, strlen(question)), (ssize_t)strlen(question));
    do {
        ck_assert_msg(poll(&pollfd, 1, FAKE_LIMIT_MSEC) == 1, "no answer to '%s'", question);
        ck_assert_uint_lt(length, sizeof(text));
        ssize_t n = read(client, text + length, sizeof(text) - length);
        ck_assert_msg(n > 0, "the end instead of an answer to '%s'; the worker says: %s", question,
                      fake_text_of(fake->errors));
        length += (size_t)n;
    } while (text[length - 1] != '\n');
    text[length - 1] = '\0';
    return text;
}

bool fake_client_has_news(struct fake_dispatcher *fake, size_t connection)
{
    struct pollfd pollfd = {.fd = fake->connections[connection].client, .events = POLLIN};

    return poll(&pollfd, 1, 0) == 1;
}

void fake_hang_up(struct fake_dispatcher *fake, size_t connection)
{
    struct fake_connection *c = &fake->connections[connection];

    c->client = fd_close(c->client);
}

void fake_adopt(struct fake_dispatcher *fake)
{
    char bytes[128];
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_ADOPT);
    _cleanup_fd_ int ring = -1;

    message_text_add(&text, "VERSION", "1");
    message_text_add_number(&text, "NUMBER", --fake->number);
    ring = add_ring(fake, &text, FAKE_PLACES_MAX);
    ck_assert_int_eq(channel_send(fake->channel, bytes, text.length, &ring, ring >= 0), 0);
    fake->is_adopting = true;
    fake->is_draining = false;
    fake->n_asked = fake->n_connections;
    fake->n_held = 0;
    fake->n_ready = 0;
}

void fake_close_channel(struct fake_dispatcher *fake)
{
    fake->channel = fd_close(fake->channel);
    fake->is_at_end = true;
}

void fake_freeze(struct fake_dispatcher *fake)
{
    int status;

    ck_assert_int_eq(kill(fake->worker, SIGSTOP), 0);
    ck_assert_int_eq(waitpid(fake->worker, &status, WUNTRACED), fake->worker);
    ck_assert(WIFSTOPPED(status));
}

/* The time limit of the test case ends a worker that does not. */
int fake_wait_end(struct fake_dispatcher *fake)
{
    int status;

    while (!fake->is_at_end)
        fake_read(fake);
    ck_assert_int_eq(waitpid(fake->worker, &status, 0), fake->worker);
    return status;
}

const char *fake_text_of(int fd)
{
    static char text[8192];
    ssize_t length = pread(fd, text, sizeof(text) - 1, 0);

    text[length > 0 ? length : 0] = '\0';
    return text;
}
