/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/readmit.h"

#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/checks/check.h"
#include "dispatcherd/checks/identity.h"
#include "dispatcherd/core/connection_store.h"
#include "dispatcherd/core/passed_on.h"

/* Its checks are over: it counts, and is handed to a worker. */
static void readmit_waiting(struct connection *connection, uint64_t accepted_at)
{
    uint32_t n_of_address, n_of_network;

    connection_count(connection, &n_of_address, &n_of_network);
    identity_ask(connection);
    connection_readmit(connection, accepted_at);
}

/* Returns false when out of memory. */
static bool readmit(struct service *service, int *fd, const struct stored_name *name)
{
    if (passed_on_keep_copy(service, name->id, fd, name->kind))
        return true;
    struct connection *connection = connection_new(service, fd, time_now_usec(CLOCK_MONOTONIC));
    if (!connection)
        return false;
    connection->id = name->id;
    connection->is_readmitted = true;
    connection_set_ends(connection, &name->peer, &name->local, name->is_tls);
    if (name->kind == STORED_WAIT) {
        readmit_waiting(connection, name->accepted_at);
        return true;
    }
    connection_check(connection);
    check_begin(connection);
    return true;
}

void readmit_stored(struct service *const services[], size_t n_services,
                    struct inherited *inherited, struct readmitted *ret)
{
    *ret = (struct readmitted){0};
    for (size_t i = 0; i < inherited->n_items; i++) {
        struct inherited_fd *item = &inherited->items[i];
        struct stored_name name;

        /* Also those of another version, which nobody else would ever remove. */
        if (item->fd < 0 || !stored_name_is_ours(item->name))
            continue;
        _cleanup_fd_ int fd = take_fd(&item->fd);
        struct service *service = stored_name_parse(item->name, &name)
                                      ? services_find(services, n_services, name.unit_name)
                                      : NULL;
        if (!service || ret->n_checks + ret->n_waiting >= CONNECTIONS_LEFT_MAX ||
            !readmit(service, &fd, &name))
            (void)store_remove(item->name);
        else if (name.kind == STORED_WAIT)
            ret->n_waiting++;
        else
            ret->n_checks++;
    }
}
