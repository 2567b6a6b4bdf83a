/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/reload.h"

#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/config/config_reading.h"
#include "dispatcherd/core/connection_store.h"
#include "dispatcherd/due_find.h"
#include "dispatcherd/limits/store_room.h"
#include "dispatcherd/limits/task_limits.h"
#include "dispatcherd/messages/orders.h"
#include "dispatcherd/messages/worker_log.h"
#include "dispatcherd/process/spawner.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/service/listener.h"
#include "dispatcherd/service/operations.h"
#include "dispatcherd/service/sockets.h"
#include "dispatcherd/store/store.h"

#include <string.h>

static void say_problems(const struct problem_list *problems, size_t from)
{
    char text[1024];

    for (size_t i = from; i < problems->n_items; i++) {
        bool is_error = problems->items[i].severity == PROBLEM_ERROR;
        const struct subject subject = {.message_id = is_error ? MESSAGE_ID_CONFIG_REFUSED
                                                               : MESSAGE_ID_CONFIG_WARNING};

        report(is_error ? LOG_ERR : LOG_WARNING, &subject, "%s",
               problem_format(&problems->items[i], text, sizeof(text)));
    }
}

static void update(struct manager *manager, struct service *service, struct config_version *version,
                   const struct service_options *options)
{
    uint32_t debug = service->options->debug;

    service_set_options(service, version, options);
    rejection_run_set_rules(&service->rejections);
    if (options->debug != debug)
        order_debug_all(service);
    if (!manager->has_passed_sockets)
        sockets_close_unwanted(service);
    worker_logs_watch(service);
    worker_logs_check(service);
}

static void let_go(struct manager *manager, struct service *service)
{
    service->is_going = true;
    if (manager->has_passed_sockets)
        spare_sockets_keep(&manager->spare_sockets, service);
    listeners_free(service);
    operation_stop(service);
}

static void revive(struct manager *manager, struct service *service, struct config_version *version,
                   const struct service_options *options)
{
    service->is_going = false;
    pool_resume(service->pool);
    update(manager, service, version, options);
}

static void add(struct manager *manager, struct config_version *version,
                const struct service_options *options, struct problem_list *problems)
{
    struct service *service =
        services_find(manager->services, manager->n_services, options->unit_name);

    if (service) {
        if (service->is_going)
            revive(manager, service, version, options);
        return;
    }
    int r = manager_add_service(manager, version, options, &service);
    if (r < 0)
        problem_add(problems, PROBLEM_WARNING, options->origin.file, options->origin.line,
                    "cannot add the service %s: %s", options->name, strerror(-r));
}

static void open_ports(struct manager *manager, struct service *service,
                       struct problem_list *problems)
{
    const struct origin *origin = &service->options->origin;
    bool can_start = spawner_can_start(manager->context.spawner, service->options);
    int r = 0;

    /* A service that was stopped by command binds its ports when it is started again. As long as
     * the workers of a service cannot be started, its clients are still turned away: otherwise they
     * would wait for ever. */
    if (manager->has_passed_sockets && can_start)
        r = spare_sockets_give(&manager->spare_sockets, service);
    else if (!manager->has_passed_sockets && !service->pool->is_stopping)
        r = sockets_bind(service);
    sockets_set_backlog(service);
    int started = listeners_start(service);
    r = r < 0 ? r : started;
    if (r < 0)
        problem_add(problems, PROBLEM_WARNING, origin->file, origin->line,
                    "%s cannot listen on all of its ports: %s; to try again: dispatcherctl reload",
                    service->options->name, strerror(-r));
    service_touch(service);
}

/* First all services close ports, then they open some: a port may move from one service to another.
 */
static void apply(struct manager *manager, struct config_version *version,
                  struct problem_list *problems)
{
    for (size_t i = 0; i < manager->n_services; i++) {
        struct service *service = manager->services[i];
        const struct service_options *options =
            config_find_service(&version->config, service->options->name);

        if (service->is_going)
            continue;
        if (options && options->is_enabled)
            update(manager, service, version, options);
        else
            let_go(manager, service);
    }
    for (size_t i = 0; i < version->config.n_services; i++)
        if (version->config.services[i].is_enabled)
            add(manager, version, &version->config.services[i], problems);
    for (size_t i = 0; i < manager->n_services; i++)
        if (!manager->services[i]->is_going)
            open_ports(manager, manager->services[i], problems);
}

/* Of systemd's store, and of the machine's threads. */
static void look_at_limits(struct manager *manager, struct problem_list *problems)
{
    const struct config *config = &manager->version->config;
    struct task_limits limits;

    if (manager->has_successor_store) {
        store_room_check(config, store_max_entries(), PROBLEM_WARNING, problems);
        connection_store_open(manager->context.connection_store,
                              store_room_connections(config, store_max_entries()));
    }
    task_limits_read(manager->context.spawner == &spawner_unit, &limits);
    task_room_check(config, &limits, problems);
}

int reload(struct manager *manager, struct problem_list *problems)
{
    const struct subject refused = {.message_id = MESSAGE_ID_CONFIG_REFUSED};
    uint64_t read_at = time_now_usec(CLOCK_REALTIME);
    struct config_version *version;

    /* Everything in the new files is checked before anything changes. */
    int r = config_reading_read(manager->config_file, manager->mapping_file, true,
                                CONFIG_READING_RELOAD_USEC, problems, &version);
    if (r == 0) {
        r = config_version_guard(manager->version, version, manager->config_file,
                                 manager->mapping_file, problems);
        if (r < 0)
            config_version_unref(version);
    }
    say_problems(problems, 0);
    manager->is_file_broken = r < 0;
    if (r < 0) {
        (void)due_refresh(manager);
        manager->context.changed(&manager->context);
        if (problems->n_errors > 0)
            report(LOG_ERR, &refused,
                   "reload refused because of %zu %s; keeping the previous configuration",
                   problems->n_errors, str_plural(problems->n_errors, "error", "errors"));
        else
            report(LOG_ERR, &refused, "reload failed: %s; keeping the previous configuration",
                   strerror(-r));
        return r;
    }
    size_t n_told = problems->n_items;
    apply(manager, version, problems);
    say_problems(problems, n_told);
    manager->context.debug = version->config.debug;
    config_version_tell(version, manager->context.debug);
    config_version_unref(manager->version);
    manager->version = version;
    manager->read_at = read_at;
    manager_record(manager);
    admission_set_mappings(manager->context.admission, version->mappings);
    admission_set_name_servers(manager->context.admission, &version->config.dns_servers);
    manager_set_fleet(manager);
    manager->is_on_last_config = false;
    manager_remember_config(manager);
    n_told = problems->n_items;
    due_refresh(manager);
    due_add_problems(&manager->due, problems);
    look_at_limits(manager, problems);
    say_problems(problems, n_told);
    for (size_t i = 0; i < manager->n_services; i++)
        certificate_look_again(manager->services[i]);
    report_daemon(LOG_NOTICE, "reloaded %s", manager->config_file);
    return 0;
}
