/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whether what a configuration may want to leave to a successor has room in the service manager's
 * store. Pure: the manager drops without a word what is too much.
 *
 * There are two limits: FileDescriptorStoreMax= (systemd.service(5)), and the length of the
 * variable LISTEN_FDNAMES (sd_listen_fds(3)), which names everything that is passed to a successor:
 * beyond 128 KiB of one variable no program can be started at all (execve(2), MAX_ARG_STRLEN). */
#pragma once

#include "config/options.h"
#include "files/problem.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes of names, each with its separator, that one variable holds. */
#define STORE_ROOM_NAME_BYTES (131072 - sizeof("LISTEN_FDNAMES="))

struct store_room {
    size_t n_workers;    /* that may run at once: MAX_PROCS of all services */
    size_t n_entries;    /* of the store: theirs, and what the daemon itself stores */
    size_t n_name_bytes; /* of these and of the listening sockets */
};

/* What may be stored at most while the configuration is in force. */
struct store_room store_room_needed(const struct config *config);

/* The service with the most workers, if somebody may want to begin; NULL: there is none. */
const struct service_options *store_room_largest(const struct config *config);

/* Bytes of the names of a configuration's listening sockets. */
size_t store_room_socket_bytes(const struct config *config);

enum {
    STORE_ROOM_TEXT_MAX = 640
};

/* Whether that fits into a store of `max_entries` (0: not known). If not, `text` tells what to
 * change. */
bool store_room_fits(const struct store_room *room, const struct service_options *largest,
                     size_t max_entries, char text[STORE_ROOM_TEXT_MAX]);

/* Adds that as a problem, at the line of the largest MAX_PROCS. */
void store_room_check(const struct config *config, size_t max_entries,
                      enum problem_severity severity, struct problem_list *problems);
