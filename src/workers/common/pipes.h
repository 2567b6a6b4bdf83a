/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Pipes for splice(2): a few for all sessions, since only one that moves many bytes needs one, and
 * only for the moment. */
#pragma once

#include <stddef.h>

enum {
    PIPES_MAX = 64,     /* at once: further sessions copy */
    PIPES_IDLE_MAX = 8, /* kept open for the next that needs one */
};

struct pipe_pair {
    int read_fd;
    int write_fd;
};

struct pipes {
    unsigned n_open;
    unsigned n_idle;
    struct pipe_pair idle[PIPES_IDLE_MAX];
};

/* Returns 0 with an empty pipe, or a negative errno: there is none now. */
int pipes_take(struct pipes *pipes, struct pipe_pair *ret);

/* One with bytes in it is closed. */
void pipes_give_back(struct pipes *pipes, struct pipe_pair *pair, size_t n_bytes);

void pipes_clear(struct pipes *pipes);
