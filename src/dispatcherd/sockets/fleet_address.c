/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/sockets/fleet_address.h"

#include "base/address.h"
#include "base/limited_call.h"

#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Addresses of one name that are remembered. */
#define FOUND_MAX 8

/* A name of a host (RFC 1035), and a port. */
#define HOST_MAX 254
#define PORT_MAX 6

/* Shared with the thread; the last user frees it. */
struct look_up {
    atomic_uint n_users;
    atomic_bool is_done; /* the thread writes nothing any more */
    char host[HOST_MAX], port[PORT_MAX];
    int error; /* of getaddrinfo(3) */
    size_t n_found;
    char found[FOUND_MAX][ADDRESS_TEXT_MAX];
};

struct fleet_address {
    char host[HOST_MAX], port[PORT_MAX];
    struct look_up *look_up; /* under way; NULL: none is */
    struct limited_call *stuck;
    uint64_t began_at; /* the last one; 0: there was none */
    int error;
    char address[ADDRESS_TEXT_MAX]; /* "": not known */
};

static bool split(const char *store, char host[HOST_MAX], char port[PORT_MAX])
{
    const char *colon = strrchr(store, ':');

    if (!colon || (size_t)(colon - store) >= HOST_MAX || strlen(colon + 1) >= PORT_MAX)
        return false;
    memcpy(host, store, (size_t)(colon - store));
    host[colon - store] = '\0';
    strcpy(port, colon + 1);
    return true;
}

bool fleet_address_has_name(const char *store)
{
    char host[HOST_MAX], port[PORT_MAX];
    struct address address;

    return strncmp(store, "unix:", 5) != 0 && store[0] != '[' && split(store, host, port) &&
           address_parse(host, &address) < 0;
}

int fleet_address_new(const char *store, struct fleet_address **ret)
{
    struct fleet_address *name = calloc(1, sizeof(*name));

    if (!name)
        return -ENOMEM;
    (void)split(store, name->host, name->port);
    *ret = name;
    return 0;
}

static void look_up_unref(void *data)
{
    struct look_up *look_up = data;

    if (look_up && atomic_fetch_sub(&look_up->n_users, 1) == 1)
        free(look_up);
}

void fleet_address_free(struct fleet_address *name)
{
    if (!name)
        return;
    limited_call_forget(&name->stuck);
    look_up_unref(name->look_up);
    free(name);
}

static void look_up_run(void *data)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct look_up *look_up = data;
    struct addrinfo *list = NULL;

    look_up->error = getaddrinfo(look_up->host, look_up->port, &hints, &list);
    for (struct addrinfo *item = list; item && look_up->n_found < FOUND_MAX; item = item->ai_next) {
        struct address address = address_from_sockaddr(item->ai_addr, item->ai_addrlen);

        if (address.family == AF_INET || address.family == AF_INET6)
            address_format(&address, look_up->found[look_up->n_found++]);
    }
    if (list)
        freeaddrinfo(list);
    atomic_store(&look_up->is_done, true);
}

static void take(struct fleet_address *name, const struct look_up *look_up)
{
    name->error = look_up->error ? look_up->error : look_up->n_found == 0 ? EAI_NONAME : 0;
    /* An address that is no longer found because its server cannot be asked may still be right. */
    if (name->error)
        return;
    for (size_t i = 0; i < look_up->n_found; i++)
        if (strcmp(look_up->found[i], name->address) == 0)
            return;
    strcpy(name->address, look_up->found[0]);
}

static void begin(struct fleet_address *name)
{
    static const struct limited_work work = {.run = look_up_run, .dispose = look_up_unref};
    struct look_up *look_up = calloc(1, sizeof(*look_up));

    if (!look_up)
        return;
    atomic_store(&look_up->n_users, 2);
    memcpy(look_up->host, name->host, sizeof(look_up->host));
    memcpy(look_up->port, name->port, sizeof(look_up->port));
    name->look_up = look_up;
    /* Not waited for: it is done already, or goes on. */
    if (limited_call(&name->stuck, &work, look_up, 0) == 0)
        look_up_unref(look_up);
}

void fleet_address_follow(struct fleet_address *name, uint64_t now)
{
    bool hangs = limited_call_hangs(&name->stuck, 0);
    uint64_t again = name->address[0] ? FLEET_ADDRESS_AGAIN_USEC : FLEET_ADDRESS_MISSING_USEC;

    if (name->look_up && (atomic_load(&name->look_up->is_done) || !hangs)) {
        if (atomic_load(&name->look_up->is_done))
            take(name, name->look_up);
        look_up_unref(name->look_up);
        name->look_up = NULL;
    }
    if (name->look_up || hangs || (name->began_at > 0 && now - name->began_at < again))
        return;
    name->began_at = now;
    begin(name);
}

const char *fleet_address_text(const struct fleet_address *name)
{
    return name->address[0] ? name->address : NULL;
}

const char *fleet_address_reason(const struct fleet_address *name)
{
    return name->error ? gai_strerror(name->error) : NULL;
}
