/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/proxy/backends.h"

#include "base/macro.h"
#include "base/time.h"
#include "workers/proxy/settings.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* The pause before the second attempt, and the longest. A server that restarts is back in about a
 * second, so clients that wait notice little; one that is gone for long sees a connection every two
 * seconds. */
#define FIRST_PAUSE_USEC   (50 * USEC_PER_MSEC)
#define LONGEST_PAUSE_USEC (2 * USEC_PER_SEC)

/* A server that restarts in less is not worth a line. */
#define REPORT_USEC (2 * USEC_PER_SEC)

static int add(struct backends *backends, const struct sockaddr *address, socklen_t length,
               char *name)
{
    struct backend *items =
        reallocarray(backends->items, backends->n_items + 1, sizeof(*backends->items));

    if (items)
        backends->items = items;
    if (!items || !name) {
        free(name);
        return -ENOMEM;
    }
    struct backend *backend = &items[backends->n_items++];
    *backend = (struct backend){.name = name, .length = length};
    memcpy(&backend->address, address, length);
    return 0;
}

static int add_path(struct backends *backends, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    return add(backends, (const struct sockaddr *)&address, sizeof(address), strdup(path));
}

/* One host may have several addresses: its lines name the one that is meant. */
static char *name_address(const char *name, const struct addrinfo *info, bool is_only_one)
{
    char host[NI_MAXHOST], *text;

    if (is_only_one || getnameinfo(info->ai_addr, info->ai_addrlen, host, sizeof(host), NULL, 0,
                                   NI_NUMERICHOST) != 0)
        return strdup(name);
    return asprintf(&text, "%s (%s)", name, host) < 0 ? NULL : text;
}

static int add_host(struct backends *backends, const char *name, const char **ret_why)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    char host[256], port[6];
    struct addrinfo *list;

    if (!settings_split(name, host, port))
        return -EINVAL;
    if (backends->n_items == BACKENDS_MAX) {
        *ret_why = "those before it have all the addresses that there may be";
        return -EINVAL;
    }
    int r = getaddrinfo(host, port, &hints, &list);
    if (r != 0) {
        *ret_why = gai_strerror(r);
        return r == EAI_MEMORY ? -ENOMEM : -EINVAL;
    }
    for (const struct addrinfo *i = list; i && r == 0 && backends->n_items < BACKENDS_MAX;
         i = i->ai_next)
        r = add(backends, i->ai_addr, i->ai_addrlen, name_address(name, i, !list->ai_next));
    freeaddrinfo(list);
    return r;
}

int backends_resolve(struct backends *backends, const struct str_list *names, const char **ret_name,
                     const char **ret_why)
{
    int r = 0;

    for (size_t i = 0; i < names->n_items && r == 0; i++) {
        *ret_name = names->items[i];
        *ret_why = "no such address";
        r = names->items[i][0] == '/' ? add_path(backends, names->items[i])
                                      : add_host(backends, names->items[i], ret_why);
    }
    return r;
}

void backends_clear(struct backends *backends)
{
    for (size_t i = 0; i < backends->n_items; i++)
        free(backends->items[i].name);
    free(backends->items);
    *backends = (struct backends){0};
}

static uint64_t pause_after(unsigned n_failures)
{
    uint64_t pause = FIRST_PAUSE_USEC;

    for (unsigned i = 1; i < n_failures && pause < LONGEST_PAUSE_USEC; i++)
        pause *= 2;
    return pause < LONGEST_PAUSE_USEC ? pause : LONGEST_PAUSE_USEC;
}

size_t backends_choose(struct backends *backends, size_t from, uint64_t now)
{
    for (size_t i = from; i < backends->n_items; i++) {
        struct backend *backend = &backends->items[i];

        if (backend->n_failures == 0)
            return i;
        if (now >= backend->retry_at) {
            backend->retry_at = now + pause_after(backend->n_failures);
            return i;
        }
    }
    return backends->n_items;
}

bool backend_failed(struct backend *backend, int error, uint64_t began_at, uint64_t now)
{
    backend->error = error;
    if (backend->n_failures == 0)
        backend->failing_since = now;
    /* Those that were tried together have failed together. */
    if (backend->n_failures == 0 || began_at >= backend->failed_at) {
        backend->n_failures++;
        backend->failed_at = now;
        backend->retry_at = now + pause_after(backend->n_failures);
    }
    return !backend->is_reported && now - backend->failing_since >= REPORT_USEC;
}

bool backend_answered(struct backend *backend)
{
    bool was_reported = backend->is_reported;

    backend->n_failures = 0;
    backend->is_reported = false;
    return was_reported;
}
