/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/store/state.h"

#include "base/fd.h"
#include "base/memfd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* To be raised when the meaning of a field changes. A change of size is noticed anyway. */
#define STATE_VERSION 5

#define STATE_MAGIC UINT64_C(0x646973706174636a)

struct memory {
    uint64_t magic;
    uint32_t version;
    uint32_t service_size; /* bytes */
    uint64_t n_used;       /* places from here on are free */
    uint64_t next_connection_id;
    struct service_state services[STATE_SERVICES_MAX];
    uint64_t n_records; /* those from here on were never used */
    struct passed_record records[STATE_RECORDS_MAX];
};

struct state {
    int fd;                                   /* owned */
    struct memory *memory;                    /* mapped */
    uint16_t free_records[STATE_RECORDS_MAX]; /* n_free_records numbers of free records */
    unsigned n_free_records;
};

static int map(int *fd, struct state **ret)
{
    struct state *state = calloc(1, sizeof(*state));

    if (!state)
        return -ENOMEM;
    void *memory = mmap(NULL, sizeof(struct memory), PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (memory == MAP_FAILED) {
        int r = -errno;
        free(state);
        return r;
    }
    state->fd = take_fd(fd);
    state->memory = memory;
    *ret = state;
    return 0;
}

int state_new(struct state **ret)
{
    _cleanup_fd_ int fd = memfd_new_sized("dispatcherd-state", sizeof(struct memory));

    if (fd < 0)
        return fd;
    int r = map(&fd, ret);
    if (r < 0)
        return r;
    struct memory *memory = (*ret)->memory;
    memory->magic = STATE_MAGIC;
    memory->version = STATE_VERSION;
    memory->service_size = sizeof(struct service_state);
    return 0;
}

static bool is_sane_pool(const struct pool *pool)
{
    return pool->n_slots <= POOL_WORKERS_MAX;
}

static int check_layout(const struct state *state)
{
    const struct memory *memory = state->memory;

    if (memory->magic != STATE_MAGIC || memory->version != STATE_VERSION ||
        memory->service_size != sizeof(struct service_state) ||
        memory->n_used > STATE_SERVICES_MAX || memory->n_records > STATE_RECORDS_MAX)
        return -EPROTO;
    for (size_t i = 0; i < memory->n_used; i++)
        if (!is_sane_pool(&memory->services[i].pool) ||
            !memchr(memory->services[i].unit_name, '\0', sizeof(memory->services[i].unit_name)))
            return -EPROTO;
    return 0;
}

int state_open(int *fd, struct state **ret)
{
    struct state *state;

    if (!memfd_is_mappable(*fd, sizeof(struct memory)))
        return -EPROTO;
    int r = map(fd, &state);
    if (r < 0)
        return r;
    r = check_layout(state);
    if (r < 0) {
        state_free(state);
        return r;
    }
    *ret = state;
    return 0;
}

void state_free(struct state *state)
{
    if (!state)
        return;
    munmap(state->memory, sizeof(struct memory));
    fd_close(state->fd);
    free(state);
}

int state_fd(const struct state *state)
{
    return state->fd;
}

struct service_state *state_claim(struct state *state, const char *unit_name)
{
    struct memory *memory = state->memory;
    size_t i = 0;

    while (i < memory->n_used && memory->services[i].unit_name[0])
        i++;
    if (i == STATE_SERVICES_MAX)
        return NULL;
    struct service_state *service = &memory->services[i];
    snprintf(service->unit_name, sizeof(service->unit_name), "%s", unit_name);
    if (i == memory->n_used)
        memory->n_used++;
    return service;
}

void state_release(struct service_state *service)
{
    memset(service->unit_name, 0, sizeof(service->unit_name));
    memset(&service->pool, 0, sizeof(service->pool));
    memset(&service->statistics, 0, sizeof(service->statistics));
    history_clear(&service->history);
    memset(service->fingerprints, 0, sizeof(service->fingerprints));
}

int state_detach(struct state *state)
{
    void *memory = mmap(state->memory, sizeof(struct memory), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_FIXED, state->fd, 0);

    return memory == MAP_FAILED ? -errno : 0;
}

const struct service_state *state_find(const struct state *state, const char *unit_name)
{
    for (size_t i = 0; i < state->memory->n_used; i++)
        if (strcmp(state->memory->services[i].unit_name, unit_name) == 0)
            return &state->memory->services[i];
    return NULL;
}

void state_inherit(struct state *state, const struct state *old, uint64_t now)
{
    for (size_t i = 0; i < state->memory->n_used; i++) {
        struct service_state *own = &state->memory->services[i];
        const struct service_state *before = state_find(old, own->unit_name);

        if (!own->unit_name[0] || !before)
            continue;
        own->statistics = before->statistics;
        history_copy(&own->history, &before->history);
        statistics_resume(&own->statistics, now);
    }
    if (old->memory->next_connection_id > 0)
        state->memory->next_connection_id = old->memory->next_connection_id;
}

uint64_t *state_next_connection_id(struct state *state)
{
    return &state->memory->next_connection_id;
}

struct passed_record *state_claim_record(struct state *state)
{
    struct memory *memory = state->memory;

    if (state->n_free_records > 0)
        return &memory->records[state->free_records[--state->n_free_records]];
    if (memory->n_records == STATE_RECORDS_MAX)
        return NULL;
    return &memory->records[memory->n_records++];
}

/* Written last: a successor that finds the identifier finds everything else. */
void state_keep_record(struct passed_record *record, uint64_t id)
{
    __atomic_store_n(&record->id, id, __ATOMIC_RELEASE);
}

void state_release_record(struct state *state, struct passed_record *record)
{
    state_keep_record(record, 0);
    state->free_records[state->n_free_records++] = (uint16_t)state_record_number(state, record);
}

unsigned state_n_records(const struct state *state)
{
    return (unsigned)state->memory->n_records;
}

struct passed_record *state_record(const struct state *state, unsigned i)
{
    return &state->memory->records[i];
}

unsigned state_record_number(const struct state *state, const struct passed_record *record)
{
    return (unsigned)(record - state->memory->records);
}
