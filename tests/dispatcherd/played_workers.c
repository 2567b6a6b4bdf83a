/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/played_workers.h"

#include "base/fd.h"
#include "protocol/channel.h"
#include "support/suite.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

static int channels[PLAYED_WORKERS_MAX];
static unsigned n_workers, n_starts;
static const char *failure;

static int played_start(_unused_ const struct service_options *options, struct spawned *ret,
                        char *error, size_t error_size)
{
    const int on = 1;
    int pair[2];

    n_starts++;
    if (failure) {
        snprintf(error, error_size, "%s", failure);
        return -ECONNREFUSED;
    }
    ck_assert_uint_lt(n_workers, PLAYED_WORKERS_MAX);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                     0);
    ck_assert_int_eq(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
    channels[n_workers++] = pair[1];
    *ret = (struct spawned){.channel = pair[0]};
    return 0;
}

static bool played_can_start(_unused_ const struct service_options *options)
{
    return !failure;
}

const struct spawner played_spawner = {
    .name = "played", .start = played_start, .can_start = played_can_start};

void played_workers_clear(void)
{
    for (unsigned i = 0; i < n_workers; i++)
        fd_close(channels[i]);
    n_workers = n_starts = 0;
    failure = NULL;
}

void played_workers_fail(const char *reason)
{
    failure = reason;
}

unsigned played_workers_n_starts(void)
{
    return n_starts;
}

unsigned played_workers_n(void)
{
    return n_workers;
}

int played_worker_hears(unsigned i, struct played_packet *ret)
{
    pid_t pid;

    ck_assert_uint_lt(i, n_workers);
    ssize_t length =
        channel_receive(channels[i], ret->bytes, sizeof(ret->bytes), ret->fds, &ret->n_fds, &pid);
    if (length == -EAGAIN)
        return 0;
    if (length == 0)
        return -1;
    ck_assert_int_gt(length, 0);
    ck_assert_int_eq(message_read(ret->bytes, (size_t)length, &ret->message), 0);
    return (int)ret->message.type;
}

int played_worker_hears_type(unsigned i)
{
    static struct played_packet packet;
    int type = played_worker_hears(i, &packet);

    for (size_t j = 0; type > 0 && j < packet.n_fds; j++)
        fd_close(packet.fds[j]);
    return type;
}

static void say(unsigned i, const void *bytes, size_t length)
{
    ck_assert_uint_lt(i, n_workers);
    ck_assert_int_eq(channel_send(channels[i], bytes, length, NULL, 0), 0);
}

void played_worker_says_hello(unsigned i)
{
    alignas(8) uint8_t bytes[128];
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_HELLO);

    message_text_add_number(&text, "VERSION_MIN", PROTOCOL_VERSION);
    message_text_add_number(&text, "VERSION_MAX", PROTOCOL_VERSION);
    message_text_add_number(&text, "STOP", 1);
    say(i, bytes, text.length);
}

void played_worker_says_value(unsigned i, enum message_type type, uint32_t value)
{
    alignas(8) uint8_t bytes[sizeof(struct message_header)];

    say(i, bytes, message_write_value(bytes, sizeof(bytes), type, value));
}

void played_worker_says_ids(unsigned i, enum message_type type, const uint64_t *ids, size_t n)
{
    alignas(8) uint8_t bytes[1024];

    say(i, bytes, message_write_ids(bytes, sizeof(bytes), type, ids, n));
}

void played_worker_gets_ready(unsigned i, uint32_t n, void (*run)(void))
{
    played_worker_says_hello(i);
    run();
    ck_assert_int_eq(played_worker_hears_type(i), MESSAGE_WELCOME);
    played_worker_says_value(i, MESSAGE_READY, n);
    run();
}

void played_worker_leaves(unsigned i)
{
    channels[i] = fd_close(channels[i]);
}
