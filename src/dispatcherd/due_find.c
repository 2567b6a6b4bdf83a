/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/due_find.h"

#include "base/time.h"
#include "dispatcherd/config/fingerprint.h"
#include "dispatcherd/core/worker.h"
#include "dispatcherd/process/spawner.h"
#include "dispatcherd/service/sockets.h"

#include <string.h>
#include <sys/stat.h>

/* Finds ports at which nobody can reach the service. */
static void look_at_ports(const struct manager *manager, const struct service *service,
                          struct due_list *due)
{
    const struct service_options *options = service->options;
    char text[ADDRESS_TEXT_MAX];
    struct address missing;

    if (!manager->has_passed_sockets) {
        if (sockets_find_missing(service, &missing))
            due_add(due, options->name, &options->origin, DUE_RELOAD, "%s does not listen at %s",
                    options->name, address_format(&missing, text));
        return;
    }
    if (service->n_listeners > 0 || due_has_service(due, options->name))
        return;
    due_add(due, options->name, &options->origin, DUE_RESTART, "%s has no socket", options->name);
}

/* If the unit is gone for a single daemon-reload, systemd closes the socket that starts workers.
 * Clients wait as soon as the present workers have no room. That is reported in addition to
 * whatever else is due. */
static void look_at_starter(const struct manager *manager, const struct service *service,
                            unsigned kinds, struct due_list *due)
{
    const struct service_options *options = service->options;

    if (!spawner_can_start(manager->context.spawner, options))
        due_add(due, options->name, &options->origin, kinds,
                "systemd has closed the socket that starts workers of %s", options->name);
}

static void look_at_starters(const struct manager *manager, unsigned kinds, struct due_list *due)
{
    for (size_t i = 0; i < manager->n_services; i++)
        if (!manager->services[i]->is_going)
            look_at_starter(manager, manager->services[i], kinds, due);
}

static bool has_stale_worker(const struct service *service)
{
    uint64_t fingerprint = fingerprint_of(service->options);

    for (unsigned slot = 0; slot < service->pool->n_slots; slot++) {
        const struct pool_worker *worker = &service->pool->workers[slot];

        if (service->workers[slot] && !worker->is_outdated &&
            (worker->state == POOL_WORKER_STARTING || worker->state == POOL_WORKER_READY) &&
            fingerprint_differs(service->state->fingerprints[slot], fingerprint))
            return true;
    }
    return false;
}

static void look_at_workers(const struct service *service, struct due_list *due)
{
    const struct service_options *options = service->options;

    if (has_stale_worker(service))
        due_add(due, options->name, &options->origin, DUE_RELOAD,
                "workers of %s still run the previous version of their program or unit",
                options->name);
}

static bool has_service(const struct manager *manager, const char *unit_name)
{
    for (size_t i = 0; i < manager->n_services; i++)
        if (!manager->services[i]->is_going &&
            str_equal_nocase(manager->services[i]->options->unit_name, unit_name))
            return true;
    return false;
}

static void look_at_spare_sockets(const struct manager *manager, struct due_list *due)
{
    const struct origin origin = {.file = manager->config_file};

    for (size_t i = 0; i < manager->spare_sockets.n_items; i++) {
        char name[48], text[ADDRESS_TEXT_MAX];
        struct address address;

        spare_sockets_describe(&manager->spare_sockets, i, name, sizeof(name), &address);
        if (has_service(manager, name) || due_has_service(due, name))
            continue;
        due_add(due, name, &origin, DUE_DAEMON_RELOAD | DUE_RESTART,
                "'%s' is not in force, but systemd still listens for it at %s: its clients are "
                "turned away",
                name, address_format(&address, text));
    }
}

/* After a daemon-reload, a service whose section has errors has no units: so no other command is
 * named before the file is correct. */
static void add_broken_file(const struct manager *manager, struct due_list *due)
{
    const struct origin origin = {.file = manager->config_file};

    due_add(due, NULL, &origin, DUE_RELOAD,
            "%s has errors (dispatcherd --check shows them) and is not in force; correct it before "
            "any daemon-reload, which would close the ports of services that have errors",
            manager->config_file);
}

/* Whether the file changed after that, by the time of its last status change, which even a copy
 * that preserves times cannot set (inode(7)). */
static bool was_changed(const char *file, uint64_t read_at)
{
    struct stat st;

    if (stat(file, &st) < 0)
        return true;
    return (uint64_t)st.st_ctim.tv_sec * USEC_PER_SEC +
               (uint64_t)st.st_ctim.tv_nsec / NSEC_PER_USEC >
           read_at;
}

/* A changed file among those that options of the services come from; NULL if none was changed. */
static const char *find_changed_file(const struct config *config, const char *main_file,
                                     uint64_t read_at)
{
    const char *looked_at = main_file;

    if (was_changed(main_file, read_at))
        return main_file;
    for (size_t i = 0; i < config->n_services; i++) {
        const char *file = config->services[i].origin.file;

        if (!file || strcmp(file, looked_at) == 0)
            continue;
        if (was_changed(file, read_at))
            return file;
        looked_at = file;
    }
    return NULL;
}

/* The units that systemd has, or will have after a daemon-reload, depend on the changed file. What
 * else is due is unknown until that is in force. */
static bool add_changed_file(const struct manager *manager, struct due_list *due)
{
    const struct origin origin = {.file = manager->config_file};
    const char *file =
        find_changed_file(&manager->version->config, manager->config_file, manager->read_at);

    if (file)
        due_add(due, NULL, &origin, DUE_RELOAD, "%s has changed since it was read", file);
    return file;
}

static void find(struct manager *manager, struct due_list *due)
{
    const struct units_due_question question = {
        .config = &manager->version->config,
        .config_file = manager->config_file,
        .marks = &manager->unit_marks,
    };

    if (manager->is_file_broken) {
        add_broken_file(manager, due);
        look_at_starters(manager, DUE_RELOAD, due);
        return;
    }
    if (add_changed_file(manager, due)) {
        look_at_starters(manager, DUE_RELOAD, due);
        return;
    }
    if (manager->has_passed_sockets)
        (void)units_due(&question, due);
    look_at_spare_sockets(manager, due);
    for (size_t i = 0; i < manager->n_services; i++) {
        const struct service *service = manager->services[i];

        if (service->is_going || service->pool->is_stopping)
            continue;
        look_at_ports(manager, service, due);
        look_at_workers(service, due);
    }
    look_at_starters(manager, DUE_RESTART | (due->kinds & DUE_DAEMON_RELOAD), due);
}

bool due_refresh(struct manager *manager)
{
    struct due_list due = {0};

    if (manager->state != MANAGER_STOPPING && manager->state != MANAGER_LEAVING)
        find(manager, &due);
    bool has_changed = !due_equal(&due, &manager->due);
    due_clear(&manager->due);
    manager->due = due;
    manager->due_at = time_now_usec(CLOCK_MONOTONIC);
    return has_changed;
}

bool due_look(struct manager *manager, uint64_t max_age_usec)
{
    if (manager->due_at > 0 && time_now_usec(CLOCK_MONOTONIC) < manager->due_at + max_age_usec)
        return false;
    return due_refresh(manager);
}
