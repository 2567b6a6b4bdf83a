/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/readmit.h"

#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/checks/check.h"
#include "dispatcherd/checks/checks_store.h"

#include <string.h>

/* Returns false when out of memory. */
static bool readmit(struct service *service, int *fd, const struct stored_name *name)
{
    struct connection *connection = connection_new(service, fd, time_now_usec(CLOCK_MONOTONIC));

    if (!connection)
        return false;
    connection->id = name->id;
    connection->is_tls = name->is_tls;
    connection->is_readmitted = true;
    connection->peer = name->peer;
    connection->local = name->local;
    connection_check(connection);
    check_begin(connection);
    return true;
}

unsigned readmit_checks(struct service *const services[], size_t n_services, struct passed *passed)
{
    unsigned n = 0;

    for (size_t i = 0; i < passed->n_items; i++) {
        struct passed_fd *item = &passed->items[i];
        struct stored_name name;

        /* Another version's too, which nobody else would ever take out. */
        if (item->fd < 0 || strncmp(item->name, "check.", strlen("check.")) != 0)
            continue;
        _cleanup_fd_ int fd = take_fd(&item->fd);
        struct service *service = stored_name_parse(item->name, &name)
                                      ? services_find(services, n_services, name.unit_name)
                                      : NULL;
        if (service && n < CHECKS_LEFT_MAX && readmit(service, &fd, &name))
            n++;
        else
            (void)store_remove(item->name);
    }
    return n;
}
