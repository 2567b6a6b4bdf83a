/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/store/store.h"

#include "base/notify_socket.h"
#include "protocol/message.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* As version 0.1 wrote it. */
#define OLD_PREFIX      "worker."
#define OLD_RING_SUFFIX ".ring"
#define OLD_STOP_SUFFIX ".stop"
#define OLD_LOG_SUFFIX  ".log"

/* What is in the store, as far as we know: the manager does not report it. */
static struct {
    size_t n_entries, max_entries; /* 0: unknown */
    size_t n_name_bytes, max_name_bytes;
} room = {.max_name_bytes = SIZE_MAX};

const char *store_worker_name(const struct store_worker *worker, char name[STORE_NAME_MAX])
{
    snprintf(name, STORE_NAME_MAX, "w%d.%s.%u.%s%s%s%s%s%s%s", PROTOCOL_VERSION, worker->unit_name,
             worker->slot, worker->knows.ring ? "r" : "", worker->knows.stop ? "s" : "",
             worker->knows.log ? "l" : "", worker->knows.stress ? "t" : "",
             worker->knows.pass ? "p" : "", worker->knows.identity ? "i" : "",
             worker->knows.answer ? "a" : "");
    return name;
}

/* Moves *at past the suffix, if it is there. */
static bool take_suffix(const char **at, const char *suffix)
{
    size_t length = strlen(suffix);

    if (strncmp(*at, suffix, length) != 0)
        return false;
    *at += length;
    return true;
}

/* Reads VERSION.SERVICE.SLOT. Returns what follows, or NULL. */
static const char *parse_worker(const char *text, struct store_worker *ret)
{
    char service[STORE_NAME_MAX];
    int end = 0;

    if (strlen(text) >= sizeof(service) ||
        sscanf(text, "%9u.%[^.].%9u%n", &ret->version, service, &ret->slot, &end) != 3 ||
        strlen(service) >= sizeof(ret->unit_name))
        return NULL;
    strcpy(ret->unit_name, service);
    return text + end;
}

static const char *parse_flags(const char *at, struct store_knowledge *knows)
{
    if (!take_suffix(&at, "."))
        return NULL;
    knows->ring = take_suffix(&at, "r");
    knows->stop = take_suffix(&at, "s");
    knows->log = take_suffix(&at, "l");
    knows->stress = take_suffix(&at, "t");
    knows->pass = take_suffix(&at, "p");
    knows->identity = take_suffix(&at, "i");
    knows->answer = take_suffix(&at, "a");
    return at;
}

static const char *parse_old_flags(const char *at, struct store_knowledge *knows)
{
    knows->ring = take_suffix(&at, OLD_RING_SUFFIX);
    knows->stop = take_suffix(&at, OLD_STOP_SUFFIX);
    knows->log = take_suffix(&at, OLD_LOG_SUFFIX);
    return at;
}

bool store_parse_worker_name(const char *name, struct store_worker *ret)
{
    struct store_worker worker = {0};
    bool is_old = take_suffix(&name, OLD_PREFIX);

    if (!is_old && !take_suffix(&name, "w"))
        return false;
    const char *at = parse_worker(name, &worker);
    if (at)
        at = is_old ? parse_old_flags(at, &worker.knows) : parse_flags(at, &worker.knows);
    if (!at || *at != '\0')
        return false;
    *ret = worker;
    return true;
}

bool store_has_entries_left(void)
{
    return room.max_entries == 0 || room.n_entries < room.max_entries;
}

static bool is_full(const char *name)
{
    return !store_has_entries_left() || room.n_name_bytes + strlen(name) + 1 > room.max_name_bytes;
}

void store_set_limits(size_t max_entries, size_t max_name_bytes)
{
    room.max_entries = max_entries;
    room.max_name_bytes = max_name_bytes;
}

void store_inherit(const char *name)
{
    room.n_entries++;
    room.n_name_bytes += strlen(name) + 1;
}

static void forget(const char *name)
{
    size_t n_bytes = strlen(name) + 1;

    room.n_entries -= room.n_entries > 0 ? 1 : 0;
    room.n_name_bytes -= room.n_name_bytes > n_bytes ? n_bytes : room.n_name_bytes;
}

size_t store_n_entries(void)
{
    return room.n_entries;
}

size_t store_max_entries(void)
{
    return room.max_entries;
}

int store_add(const char *name, int fd)
{
    char state[STORE_NAME_MAX + 32];

    if (is_full(name))
        return -ENOSPC;
    snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=%s", name);
    int r = notify_socket_send(state, fd);
    if (r == 0)
        store_inherit(name);
    return r;
}

int store_remove(const char *name)
{
    char state[STORE_NAME_MAX + 32];

    snprintf(state, sizeof(state), "FDSTOREREMOVE=1\nFDNAME=%s", name);
    int r = notify_socket_send(state, -1);
    if (r == 0)
        forget(name);
    return r;
}

int store_replace(const char *prefix, unsigned long old_number, int fd)
{
    char name[STORE_NAME_MAX];

    snprintf(name, sizeof(name), "%s%lu", prefix, old_number + 1);
    int r = store_add(name, fd);
    if (r < 0 || old_number == 0)
        return r;
    snprintf(name, sizeof(name), "%s%lu", prefix, old_number);
    (void)store_remove(name); /* the newest one counts */
    return 0;
}
