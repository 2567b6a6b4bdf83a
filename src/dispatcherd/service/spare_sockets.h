/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Listening sockets of the service manager that belong to no service in force: the service was
 * removed from dispatcher.cnf or disabled, but the service manager still listens for it.
 *
 * They are kept, since the service manager passes sockets only when the daemon starts, and are
 * given back when the service returns. Until then each client gets a reset at once: in the kernel's
 * queue it would wait for ever. */
#pragma once

#include "dispatcherd/core/service.h"

struct spare_socket;

/* Owned by the manager. All zero is an empty set. */
struct spare_sockets {
    struct spare_socket **items; /* n_items of them, owned */
    size_t n_items;
};

/* Keeps a listening socket that was passed with that name (sd_listen_fds_with_names(3)). Takes over
 * *fd (-1 afterwards, even on failure). Returns 0 or a negative errno. */
int spare_sockets_add(struct spare_sockets *spare, sd_event *event, const char *name, int *fd);

/* Takes the sockets of a service that is being removed; it has none afterwards. */
void spare_sockets_keep(struct spare_sockets *spare, struct service *service);

/* Gives the service those with its name. Returns 0; or a negative errno if one of them could not be
 * given. */
int spare_sockets_give(struct spare_sockets *spare, struct service *service);

/* Describes the one at `index`: the service's name as far as the socket's name has it ("smtp" of
 * "smtp-tls"), in `name[size]`, and the address where it listens. */
void spare_sockets_describe(const struct spare_sockets *spare, size_t i, char *name, size_t size,
                            struct address *ret_address);

/* Closes all of them: from then on clients wait in the service manager's copies. */
void spare_sockets_clear(struct spare_sockets *spare);
