/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Listening sockets of the service manager that belong to no service in force: of a service that
 * was taken out of dispatcher.cnf, or disabled, while the service manager still listens for it.
 *
 * They are kept, since the service manager passes sockets only when the daemon starts, and given
 * back when the service returns. Until then each client is turned away at once by a reset: in the
 * kernel's queue it would wait for ever. */
#pragma once

#include "dispatcherd/core/service.h"

struct spare_socket;

/* Owned by the manager. All zero is an empty set. */
struct spare_sockets {
    struct spare_socket **items; /* n_items of them, owned */
    size_t n_items;
};

/* Keeps a listening socket that was passed with that name (sd_listen_fds_with_names(3)). Takes over
 * *fd (-1 afterwards, whatever is returned). Returns 0 or a negative errno. */
int spare_sockets_add(struct spare_sockets *spare, sd_event *event, const char *name, int *fd);

/* Takes the sockets of a service that is let go; it has none afterwards. */
void spare_sockets_keep(struct spare_sockets *spare, struct service *service);

/* Gives the service those that carry its name. Returns 0, or a negative errno if one could not be
 * given. */
int spare_sockets_give(struct spare_sockets *spare, struct service *service);

/* The name of the service that the i-th is of, as far as it can be told by the socket's name
 * ("smtp" of "smtp-tls"), in `name[size]`, and where it listens. */
void spare_sockets_describe(const struct spare_sockets *spare, size_t i, char *name, size_t size,
                            struct address *ret_address);

/* Closes all of them: clients wait in the service manager's copies from then on. */
void spare_sockets_clear(struct spare_sockets *spare);
