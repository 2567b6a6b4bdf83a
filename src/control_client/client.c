/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "control_client/client.h"

#include "base/fd.h"
#include "base/time.h"
#include "varlink/message.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

/* Far larger than any reply of the daemon. */
#define REPLY_MAX_BYTES (64 * 1024 * 1024)

int client_connect(const char *path, uint64_t limit_usec)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval limit = {
        .tv_sec = (time_t)(limit_usec / USEC_PER_SEC),
        .tv_usec = (suseconds_t)(limit_usec % USEC_PER_SEC),
    };

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* connect() waits up to the time limit for sending. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    return take_fd(&fd);
}

void client_use(int *fd, struct client *ret)
{
    *ret = (struct client){
        .fd = take_fd(fd),
        .frames = VARLINK_FRAMES_INIT(REPLY_MAX_BYTES),
        .bytes_left = SIZE_MAX,
    };
}

int client_open(const char *path, uint64_t limit_usec, struct client *ret)
{
    int fd = client_connect(path, limit_usec);

    if (fd < 0)
        return fd;
    client_use(&fd, ret);
    return 0;
}

/* It may return before the connection is ready. */
static int wait_until_ready(struct client *client, short events, uint64_t deadline)
{
    struct pollfd poll_fds[2] = {
        {.fd = client->fd, .events = events},
        {.fd = client->aside ? client->aside->fd : -1, .events = POLLIN},
    };
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (now >= deadline)
        return -ETIMEDOUT;
    uint64_t msec = (deadline - now) / USEC_PER_MSEC;
    int r = poll(poll_fds, 2, msec < INT_MAX ? (int)msec + 1 : -1);
    if (r < 0)
        return errno == EINTR ? 0 : -errno;
    if (poll_fds[1].revents)
        (void)tail_read(client->aside);
    return 0;
}

static int send_all(struct client *client, const char *bytes, size_t size, uint64_t deadline)
{
    while (size > 0) {
        ssize_t n = send(client->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return -errno;
        if (n < 0) {
            int r = wait_until_ready(client, POLLOUT, deadline);
            if (r < 0)
                return r;
            continue;
        }
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

static int read_some(struct client *client, uint64_t deadline)
{
    char *room;
    size_t size;

    if (client->bytes_left == 0)
        return -EFBIG;
    int r = varlink_frames_room(&client->frames, &room, &size);
    if (r < 0)
        return r;
    r = wait_until_ready(client, POLLIN, deadline);
    if (r < 0)
        return r;
    ssize_t n =
        recv(client->fd, room, size < client->bytes_left ? size : client->bytes_left, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (n == 0)
        return -ECONNRESET;
    varlink_frames_added(&client->frames, (size_t)n);
    if (client->bytes_left != SIZE_MAX)
        client->bytes_left -= (size_t)n;
    return 0;
}

static int receive(struct client *client, uint64_t deadline, json_t **ret)
{
    const char *text;
    size_t length;

    while (!varlink_frames_next(&client->frames, &text, &length)) {
        int r = read_some(client, deadline);
        if (r < 0)
            return r;
    }
    return varlink_reply_parse(text, length, ret);
}

static int call(struct client *client, const char *method, json_t *parameters, bool wants_more,
                uint64_t limit_usec, json_t **ret)
{
    uint64_t deadline = time_add_usec(time_now_usec(CLOCK_MONOTONIC), limit_usec);
    char name[128];
    size_t size = 0;

    snprintf(name, sizeof(name), "io.dispatcherd.Control.%s", method);
    if (!parameters)
        return -EINVAL;
    json_auto_t *message = varlink_method(name, parameters);
    if (message && wants_more && json_object_set_new(message, "more", json_true()) < 0)
        return -ENOMEM;
    char *text = message ? varlink_message_text(message, &size) : NULL;
    if (!text)
        return -ENOMEM;
    int r = send_all(client, text, size, deadline);
    free(text);
    if (r == -EPIPE)
        r = -ECONNRESET;
    return r < 0 ? r : receive(client, deadline, ret);
}

int client_call(struct client *client, const char *method, json_t *parameters, uint64_t limit_usec,
                json_t **ret)
{
    return call(client, method, parameters, false, limit_usec, ret);
}

int client_call_more(struct client *client, const char *method, json_t *parameters,
                     uint64_t limit_usec, json_t **ret)
{
    return call(client, method, parameters, true, limit_usec, ret);
}

int client_next(struct client *client, uint64_t limit_usec, json_t **ret)
{
    return receive(client, time_add_usec(time_now_usec(CLOCK_MONOTONIC), limit_usec), ret);
}

void client_close(struct client *client)
{
    client->fd = fd_close(client->fd);
    varlink_frames_clear(&client->frames);
}
