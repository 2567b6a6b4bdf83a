/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/worker/worker_memory.h"

#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/core/context.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* The kernel answers from its counters, without a lock of the process: unlike smaps or
 * smaps_rollup (proc(5)), this never waits for a process that hangs in a page fault. */
int worker_memory_read(pid_t pid, uint64_t *ret_kib)
{
    uint64_t resident, shared, page_kib = (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
    char path[40], text[128];

    snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    if (n < 0)
        return -errno;
    text[n] = '\0';
    if (sscanf(text, "%*u %" SCNu64 " %" SCNu64, &resident, &shared) != 2)
        return -EBADMSG;
    if (resident == 0) /* it has ended, and is still to be reaped */
        return -ESRCH;
    *ret_kib = resident > shared ? (resident - shared) * page_kib : 0;
    return 0;
}

/* One that is being started may still be a copy of dispatcherd. */
static bool worker_memory_is_known(const struct service *service, unsigned slot)
{
    const struct worker *worker = service->workers[slot];

    return worker && worker->pid > 0 &&
           (worker->state == WORKER_READY || worker->state == WORKER_DRAINING);
}

static void worker_memory_add(const struct service *service, unsigned slot,
                              struct record_memory *memory)
{
    const struct pool_worker *worker = &service->pool->workers[slot];
    uint64_t kib;

    if (worker_memory_read(service->workers[slot]->pid, &kib) < 0)
        return;
    memory->n_workers++;
    memory->n_sessions += pool_worker_load(worker);
    memory->n_peak += worker->n_peak;
    memory->n_total += worker->n_total;
    memory->kib += kib;
}

uint64_t worker_memory_look(struct service *service, uint64_t now)
{
    struct recorder *recorder = service->context->recorder;
    const struct pool *pool = service->pool;
    struct record_memory memory = {.n_in_pool = (uint16_t)(pool->n_ready + pool->n_draining)};
    uint64_t due = recorder_memory_due(recorder, &service->recorded, pool, now);
    unsigned n_looks = 0;

    if (due > now)
        return due;
    /* Another look begins at other workers. */
    for (unsigned i = 0; i < pool->n_slots && n_looks < WORKER_MEMORY_LOOKS; i++) {
        unsigned slot = (unsigned)((now / USEC_PER_SEC + i) % pool->n_slots);

        if (!worker_memory_is_known(service, slot))
            continue;
        worker_memory_add(service, slot, &memory);
        n_looks++;
    }
    recorder_add_memory(recorder, &service->recorded, service->options, pool, &memory, now);
    return recorder_memory_due(recorder, &service->recorded, pool, now);
}
