/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/process/spawner.h"

#include "base/fd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define WORKER_SOCKET_DIR "/run/dispatcherd-worker"

static int spawner_unit_address(const struct service_options *options, struct sockaddr_un *ret)
{
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = snprintf(ret->sun_path, sizeof(ret->sun_path), "%s/%s", WORKER_SOCKET_DIR,
                     options->unit_name);

    return n < 0 || (size_t)n >= sizeof(ret->sun_path) ? -ENAMETOOLONG : 0;
}

static int spawner_unit_start(const struct service_options *options, struct spawned *ret,
                              char *error, size_t error_size)
{
    struct sockaddr_un address;
    const int on = 1;

    if (spawner_unit_address(options, &address) < 0)
        return -ENAMETOOLONG;
    _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0) {
        int r = -errno;
        snprintf(error, error_size, "cannot create a control channel: %s", strerror(-r));
        return r;
    }
    (void)fd_refuse_rights(fd);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        int r = -errno;
        snprintf(error, error_size,
                 "cannot reach %.100s: %s; is dispatcherd-%.32s-worker.socket active?",
                 address.sun_path, strerror(-r), options->unit_name);
        return r;
    }
    *ret = (struct spawned){.channel = take_fd(&fd)};
    return 0;
}

/* A connection of another type starts nothing, and the error says whether there is a socket:
 * EPROTOTYPE (unix(7)). */
static bool spawner_unit_can_start(const struct service_options *options)
{
    struct sockaddr_un address;
    _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || spawner_unit_address(options, &address) < 0)
        return true;
    return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ||
           (errno != ECONNREFUSED && errno != ENOENT);
}

const struct spawner spawner_unit = {
    .name = "unit", .start = spawner_unit_start, .can_start = spawner_unit_can_start};
