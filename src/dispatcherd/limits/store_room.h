/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whether the service manager's store has room for all that a configuration may leave to a
 * successor. Pure. It matters since the manager silently drops what exceeds its limits.
 *
 * There are two: FileDescriptorStoreMax= (systemd.service(5)), and the length of the variable
 * LISTEN_FDNAMES (sd_listen_fds(3)), which names everything that is passed to a successor: if a
 * variable is longer than 128 KiB, no program can be started at all (execve(2), MAX_ARG_STRLEN). */
#pragma once

#include "config/options.h"
#include "files/problem.h"

#include <stdbool.h>
#include <stddef.h>

/* How many bytes of names, each with its separator, the variable holds. */
#define STORE_ROOM_NAME_BYTES (131072 - sizeof("LISTEN_FDNAMES="))

struct store_room {
    size_t n_workers;    /* that may run at the same time: MAX_PROCS of all services */
    size_t n_entries;    /* of the store: the workers', and the daemon's own */
    size_t n_name_bytes; /* of these and of the listening sockets */
};

/* The most that must be stored while the configuration is in force: of connections, those whose
 * checks wait (CHECKS_STORED_MAX). */
struct store_room store_room_needed(const struct config *config);

/* How many connections may be stored, so that there is room for the channel of each worker in a
 * store of `max_entries` (0: unknown): from CHECKS_STORED_MAX to CONNECTIONS_STORED_MAX. */
size_t store_room_connections(const struct config *config, size_t max_entries);

/* The service with the most workers, where it helps most to lower MAX_PROCS; NULL: there is none.
 */
const struct service_options *store_room_largest(const struct config *config);

/* Bytes of the names of the configuration's listening sockets. */
size_t store_room_socket_bytes(const struct config *config);

enum {
    STORE_ROOM_TEXT_MAX = 640
};

/* Whether all fits into a store of `max_entries` (0: unknown). If not, `text` says what to change.
 */
bool store_room_fits(const struct store_room *room, const struct service_options *largest,
                     size_t max_entries, char text[STORE_ROOM_TEXT_MAX]);

/* Adds that as a problem at the line of the largest MAX_PROCS. */
void store_room_check(const struct config *config, size_t max_entries,
                      enum problem_severity severity, struct problem_list *problems);
