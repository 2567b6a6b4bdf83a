/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tls/gate.h"

#include "base/fd.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int tls_gate_init(struct tls_gate *gate, unsigned n_places)
{
    gate->n = 0;
    gate->limit = n_places > 2 ? n_places / 2 : 1;
    gate->crowd_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (gate->crowd_fd < 0)
        return -errno;
    pthread_mutex_init(&gate->lock, NULL);
    return 0;
}

void tls_gate_clear(struct tls_gate *gate)
{
    gate->crowd_fd = fd_close(gate->crowd_fd);
    pthread_mutex_destroy(&gate->lock);
}

void tls_gate_enter(struct tls_gate *gate)
{
    const uint64_t one = 1;

    pthread_mutex_lock(&gate->lock);
    if (gate->n++ == gate->limit)
        (void)!write(gate->crowd_fd, &one, sizeof(one));
    pthread_mutex_unlock(&gate->lock);
}

void tls_gate_leave(struct tls_gate *gate)
{
    uint64_t count;

    pthread_mutex_lock(&gate->lock);
    if (--gate->n == gate->limit)
        (void)!read(gate->crowd_fd, &count, sizeof(count));
    pthread_mutex_unlock(&gate->lock);
}
