/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/limits/store_room.h"

#include "dispatcherd/core/connection_store.h"
#include "dispatcherd/store/store.h"

#include <stdio.h>
#include <string.h>

/* State, configuration, mapping file, throttle and decisions; each twice for a moment, since the
 * newer one is stored before the older one is removed. */
#define DAEMON_ENTRIES 10

/* Bytes of "dispatcherd.decisions.4294967295" and its separator. */
#define DAEMON_NAME_BYTES 40

static size_t worker_name_bytes(const struct service_options *service)
{
    struct store_worker longest = {.slot = service->max_procs - 1,
                                   .knows = {.ring = true,
                                             .stop = true,
                                             .log = true,
                                             .stress = true,
                                             .pass = true,
                                             .identity = true,
                                             .answer = true}};
    char name[STORE_NAME_MAX];

    snprintf(longest.unit_name, sizeof(longest.unit_name), "%s", service->unit_name);
    return strlen(store_worker_name(&longest, name)) + 1;
}

size_t store_room_socket_bytes(const struct config *config)
{
    size_t n = 0;

    for (size_t i = 0; i < config->n_services; i++) {
        const struct service_options *service = &config->services[i];
        size_t length = strlen(service->unit_name) + sizeof("-tls");

        /* One socket for each port and family. */
        if (service->is_enabled)
            n += 2 * (service->port.n_ports + service->tls_port.n_ports) * length;
    }
    return n;
}

struct store_room store_room_needed(const struct config *config)
{
    struct store_room room = {
        .n_entries = DAEMON_ENTRIES + CHECKS_STORED_MAX,
        .n_name_bytes = DAEMON_ENTRIES * DAEMON_NAME_BYTES +
                        CHECKS_STORED_MAX * CONNECTION_NAME_BYTES + store_room_socket_bytes(config),
    };

    for (size_t i = 0; i < config->n_services; i++) {
        const struct service_options *service = &config->services[i];

        if (!service->is_enabled)
            continue;
        room.n_workers += service->max_procs;
        room.n_entries += service->max_procs;
        room.n_name_bytes += service->max_procs * worker_name_bytes(service);
    }
    return room;
}

static size_t smaller_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t left_of(size_t room, size_t needed)
{
    return room > needed ? room - needed : 0;
}

size_t store_room_connections(const struct config *config, size_t max_entries)
{
    const struct store_room room = store_room_needed(config);
    size_t n = CONNECTIONS_STORED_MAX - CHECKS_STORED_MAX;

    n = smaller_of(n, left_of(STORE_ROOM_NAME_BYTES, room.n_name_bytes) / CONNECTION_NAME_BYTES);
    if (max_entries > 0)
        n = smaller_of(n, left_of(max_entries, room.n_entries));
    return CHECKS_STORED_MAX + n;
}

const struct service_options *store_room_largest(const struct config *config)
{
    const struct service_options *largest = NULL;

    for (size_t i = 0; i < config->n_services; i++)
        if (config->services[i].is_enabled &&
            (!largest || config->services[i].max_procs > largest->max_procs))
            largest = &config->services[i];
    return largest;
}

bool store_room_fits(const struct store_room *room, const struct service_options *largest,
                     size_t max_entries, char text[STORE_ROOM_TEXT_MAX])
{
    bool has_entries = max_entries == 0 || room->n_entries <= max_entries;
    bool has_bytes = room->n_name_bytes <= STORE_ROOM_NAME_BYTES;
    int n = 0;

    text[0] = '\0';
    if (has_entries && has_bytes)
        return true;
    n = snprintf(
        text, STORE_ROOM_TEXT_MAX,
        "%zu workers may run at once (MAX_PROCS of all services; %s: %u), and systemd "
        "cannot keep the channels of all of them over a restart or a crash of dispatcherd: ",
        room->n_workers, largest ? largest->name : "none", largest ? largest->max_procs : 0);
    if (!has_bytes)
        snprintf(
            text + n, STORE_ROOM_TEXT_MAX - (size_t)n,
            "their names have %zu bytes, and at most %zu can be passed on; lower MAX_PROCS, or "
            "give services shorter names",
            room->n_name_bytes, (size_t)STORE_ROOM_NAME_BYTES);
    else
        snprintf(text + n, STORE_ROOM_TEXT_MAX - (size_t)n,
                 "FileDescriptorStoreMax= must be at least %zu, but is %zu; lower MAX_PROCS, or "
                 "raise it: "
                 "systemctl edit dispatcherd.service, [Service], FileDescriptorStoreMax=%zu",
                 room->n_entries, max_entries, room->n_entries);
    return false;
}

void store_room_check(const struct config *config, size_t max_entries,
                      enum problem_severity severity, struct problem_list *problems)
{
    const struct store_room room = store_room_needed(config);
    const struct service_options *largest = store_room_largest(config);
    char text[STORE_ROOM_TEXT_MAX];

    if (!largest || store_room_fits(&room, largest, max_entries, text))
        return;
    const struct origin *at = &largest->origins[OPTION_MAX_PROCS];
    if (!at->file)
        at = &largest->origin;
    problem_add(problems, severity, at->file, at->line, "%s", text);
}
