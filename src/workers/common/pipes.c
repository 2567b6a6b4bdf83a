/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/common/pipes.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

/* A slot of a pipe takes a part of a packet, 64 KiB at the most. The kernel allows all pipes of a
 * user together 16384 slots (pipe(7)). */
#define PIPE_BYTES (256 * 1024)

/* The first pipes are larger: a single stream costs a quarter less of the processor then (measured
 * on two processors, beside HAProxy). With many streams they would take too many slots. */
#define LARGE_PIPE_BYTES (1024 * 1024)
#define LARGE_PIPES_MAX  8

int pipes_take(struct pipes *pipes, struct pipe_pair *ret)
{
    int fds[2];

    if (pipes->n_idle > 0) {
        *ret = pipes->idle[--pipes->n_idle];
        return 0;
    }
    if (pipes->n_open == PIPES_MAX)
        return -EMFILE;
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    bool is_large = pipes->n_open < LARGE_PIPES_MAX;
    if (!is_large || fcntl(fds[0], F_SETPIPE_SZ, LARGE_PIPE_BYTES) < 0)
        (void)fcntl(fds[0], F_SETPIPE_SZ, PIPE_BYTES);
    pipes->n_open++;
    *ret = (struct pipe_pair){fds[0], fds[1]};
    return 0;
}

static void close_pair(struct pipes *pipes, struct pipe_pair *pair)
{
    pair->read_fd = fd_close(pair->read_fd);
    pair->write_fd = fd_close(pair->write_fd);
    pipes->n_open--;
}

void pipes_give_back(struct pipes *pipes, struct pipe_pair *pair, size_t n_bytes)
{
    if (n_bytes == 0 && pipes->n_idle < PIPES_IDLE_MAX)
        pipes->idle[pipes->n_idle++] = *pair;
    else
        close_pair(pipes, pair);
    *pair = (struct pipe_pair){-1, -1};
}

void pipes_clear(struct pipes *pipes)
{
    while (pipes->n_idle > 0)
        close_pair(pipes, &pipes->idle[--pipes->n_idle]);
}
