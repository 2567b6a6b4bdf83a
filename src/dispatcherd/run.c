/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/run.h"

#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/control/control.h"
#include "dispatcherd/control_manager.h"
#include "dispatcherd/core/connection_store.h"
#include "dispatcherd/core/passed_on.h"
#include "dispatcherd/due_find.h"
#include "dispatcherd/host_name_watch.h"
#include "dispatcherd/limits/task_limits.h"
#include "dispatcherd/loop.h"
#include "dispatcherd/messages/orders.h"
#include "dispatcherd/messages/worker_log.h"
#include "dispatcherd/orphans.h"
#include "dispatcherd/reload.h"
#include "dispatcherd/report/bulk.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/service/listener.h"
#include "dispatcherd/service/sockets.h"
#include "dispatcherd/service/statistics_log.h"
#include "dispatcherd/status.h"
#include "dispatcherd/stop.h"
#include "dispatcherd/store/closer.h"
#include "dispatcherd/store/stall_guard.h"
#include "dispatcherd/succession.h"
#include "protocol/debug.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define STATUS_INTERVAL_USEC USEC_PER_SEC
#define STATUS_ACCURACY_USEC (USEC_PER_SEC / 10)

/* How old the commands in STATUS may be. */
#define DUE_INTERVAL_USEC (5 * USEC_PER_SEC)

/* Not called when the end of a service is noticed, since the callers there still use it. */
static void free_gone_services(struct manager *manager)
{
    size_t n = 0;

    for (size_t i = 0; i < manager->n_services; i++) {
        struct service *service = manager->services[i];

        if (service->is_going && pool_total(service->pool) == 0 && service->pool->n_waiting == 0 &&
            service->pool->n_passed_on == 0)
            manager_free_service(service);
        else
            manager->services[n++] = service;
    }
    manager->n_services = n;
}

/* What is due may have been done in the meantime: systemd does not report a daemon-reload. */
static void look_again(struct manager *manager)
{
    if (manager->due.n_items == 0)
        return;
    timer_set_in(&manager->status_timer, DUE_INTERVAL_USEC);
}

static void on_status(void *userdata)
{
    struct manager *manager = userdata;
    char text[NOTIFY_STATUS_MAX];

    free_gone_services(manager);
    (void)due_look(manager, DUE_INTERVAL_USEC);
    statistics_log(manager->services, manager->n_services, time_now_usec(CLOCK_MONOTONIC));
    report_debug(manager->context.debug, DEBUG_MAIN_EXTRA, &(struct subject){0}, "status: %s",
                 status_format(manager, text, sizeof(text)));
    notify_status(&manager->notifier, status_format(manager, text, sizeof(text)));
    look_again(manager);
}

static void status_soon(struct manager *manager)
{
    if (!timer_is_set(&manager->status_timer))
        timer_set_in(&manager->status_timer, STATUS_INTERVAL_USEC);
}

/* Start */

static bool is_settled(const struct manager *manager)
{
    for (size_t i = 0; i < manager->n_services; i++) {
        const struct service *service = manager->services[i];

        if (!service->failed_starts.has_any &&
            service->pool->n_ready < service->pool_options.min_procs)
            return false;
    }
    return true;
}

static void say_where(const struct service *service)
{
    const struct subject subject = {.service = service->options->name};
    char text[512], address[ADDRESS_TEXT_MAX];
    struct str_buffer line = str_buffer_init(text, sizeof(text));

    for (size_t i = 0; i < service->n_listeners; i++)
        str_buffer_add(&line, "%s%s%s", i > 0 ? ", " : "",
                       address_format(&service->listeners[i].address, address),
                       service->listeners[i].is_tls ? " (TLS)" : "");
    if (service->n_listeners > 0)
        report(LOG_NOTICE, &subject, "listens on %s", text);
}

static void become_running(struct manager *manager)
{
    const struct subject subject = {.message_id = MESSAGE_ID_STARTED};
    unsigned n_workers = manager_count_workers(manager);

    manager->state = MANAGER_RUNNING;
    timer_stop(&manager->extend_timer);
    on_status(manager);
    notify_ready(&manager->notifier);
    for (size_t i = 0; i < manager->n_services; i++)
        say_where(manager->services[i]);
    report(LOG_NOTICE, &subject, "ready: %zu %s, %u %s", manager->n_services,
           str_plural(manager->n_services, "service", "services"), n_workers,
           str_plural(n_workers, "worker", "workers"));
}

static void tell_signal(const struct manager *manager, const struct signalfd_siginfo *info)
{
    report_debug(manager->context.debug, DEBUG_MAIN_EXTRA, &(struct subject){0},
                 "signal %u (%s) from process %u of user %u", info->ssi_signo,
                 strsignal((int)info->ssi_signo), info->ssi_pid, info->ssi_uid);
}

static int on_stop_signal(_unused_ sd_event_source *source, const struct signalfd_siginfo *info,
                          void *userdata)
{
    tell_signal(userdata, info);
    stop_begin(userdata);
    return 0;
}

static void on_identified(const struct connection *connection)
{
    order_identity(connection->worker, connection);
}

static void on_change(struct context *context)
{
    struct manager *manager = CONTAINER_OF(context, struct manager, context);

    status_soon(manager);
    if (manager->state == MANAGER_STARTING && is_settled(manager))
        become_running(manager);
    stop_check(manager);
}

/* Construction */

static int on_reload_signal(_unused_ sd_event_source *source, const struct signalfd_siginfo *info,
                            void *userdata)
{
    struct manager *manager = userdata;
    struct problem_list problems = {0};

    tell_signal(manager, info);
    notify_reloading(&manager->notifier);
    (void)reload(manager, &problems);
    problem_list_clear(&problems);
    notify_ready(&manager->notifier);
    return 0;
}

static int on_log_signal(_unused_ sd_event_source *source, const struct signalfd_siginfo *info,
                         void *userdata)
{
    struct manager *manager = userdata;

    tell_signal(manager, info);
    for (size_t i = 0; i < manager->n_services; i++)
        worker_logs_check(manager->services[i]);
    return 0;
}

/* Signals were blocked in main(). */
static int add_signals(struct manager *manager)
{
    static const struct {
        int number;
        sd_event_signal_handler_t handler;
    } signals[] = {{SIGTERM, on_stop_signal},
                   {SIGINT, on_stop_signal},
                   {SIGHUP, on_reload_signal},
                   {SIGUSR1, on_log_signal}};

    for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
        int r = sd_event_add_signal(manager->context.event, NULL, signals[i].number,
                                    signals[i].handler, manager);
        if (r < 0)
            return r;
    }
    return 0;
}

static int init_context(struct manager *manager, struct config_version *version,
                        const struct run_settings *settings)
{
    manager->version = version;
    manager->read_at = settings->read_at;
    unit_marks_take(&manager->unit_marks);
    manager->started_at = time_now_usec(CLOCK_MONOTONIC);
    manager->config_file = settings->config_file;
    manager->mapping_file = settings->mapping_file;
    manager->is_on_last_config = settings->is_on_last_config;
    manager->is_file_broken = settings->is_on_last_config;
    manager->config_number = settings->config_number;
    manager->context = (struct context){
        .changed = on_change,
        .identified = on_identified,
        .spawner = settings->spawner,
        .host_name = manager->host_name,
        .debug = manager->version->config.debug,
        .stop_limit_sec = settings->stop_limit_sec,
    };
    struct admission_settings admission = settings->admission;
    admission.configured_dns_servers = &version->config.dns_servers;
    int r = sd_event_new(&manager->context.event);
    if (r == 0)
        r = bulk_start(manager->context.event);
    if (r == 0)
        r = timer_init(&manager->status_timer, manager->context.event, STATUS_ACCURACY_USEC,
                       on_status, manager);
    if (r == 0)
        r = stop_init(manager);
    if (r == 0)
        r = add_signals(manager);
    if (r == 0)
        r = stall_guard_start();
    if (r == 0)
        r = closer_start(manager->context.event);
    if (r == 0)
        r = host_name_watch_start(manager);
    if (r == 0)
        r = orphans_start(manager);
    if (r == 0)
        r = siphash_key_random(&manager->context.hash_key);
    if (r == 0)
        r = admission_new(&manager->context, &admission, version->mappings,
                          &manager->context.admission);
    if (r == 0)
        r = notify_start(&manager->notifier, manager->context.event);
    if (r == 0)
        manager_record(manager);
    return r;
}

static int add_services(struct manager *manager)
{
    const struct config *config = &manager->version->config;
    struct service *service;
    int r = state_new(&manager->durable);

    if (r < 0)
        return r;
    r = passed_on_start(&manager->context, manager->durable);
    if (r == 0)
        r = connection_store_new(manager->context.event, &manager->context.connection_store);
    if (r < 0)
        return r;
    manager->context.next_connection_id = state_next_connection_id(manager->durable);
    context_init_ids(&manager->context);
    for (size_t i = 0; i < config->n_services && r == 0; i++)
        if (config->services[i].is_enabled)
            r = manager_add_service(manager, manager->version, &config->services[i], &service);
    return r;
}

/* Returns 0; or a negative errno if no service can be reached. */
static int open_sockets(struct manager *manager, struct inherited *inherited)
{
    size_t n_listeners = 0;

    /* As a unit the daemon never binds: systemd could not open its socket afterwards. */
    bool is_unit = manager->context.spawner == &spawner_unit;

    manager->has_passed_sockets = inherited->has_manager || is_unit;
    if (manager->has_passed_sockets)
        sockets_take_passed(manager->services, manager->n_services, &manager->spare_sockets,
                            manager->context.event, inherited);
    for (size_t i = 0; i < manager->n_services; i++) {
        if (!manager->has_passed_sockets)
            (void)sockets_bind(manager->services[i]);
        int r = listeners_start(manager->services[i]);
        if (r < 0)
            return r;
        n_listeners += manager->services[i]->n_listeners;
    }
    /* systemd may have no sockets for us, after a daemon-reload that changed them or with a broken
     * file. Restarting would not change that, so the daemon stays, and names the command that is
     * due. */
    if (n_listeners == 0 && manager->n_services > 0 && !is_unit) {
        const struct subject subject = {.message_id = MESSAGE_ID_CANNOT_BIND};

        report(LOG_CRIT, &subject, "cannot listen on any configured port; exiting");
        return -EADDRNOTAVAIL;
    }
    return 0;
}

static void manager_clear(struct manager *manager)
{
    control_free(manager->control);
    /* From here on changes must not reach the successor. */
    if (manager->durable && manager->state == MANAGER_LEAVING) {
        (void)state_detach(manager->durable);
        connection_store_left(manager->context.connection_store);
    }
    for (size_t i = 0; i < manager->n_services; i++)
        manager_free_service(manager->services[i]);
    free(manager->services);
    spare_sockets_clear(&manager->spare_sockets);
    unit_marks_clear(&manager->unit_marks);
    due_clear(&manager->due);
    recorder_free(manager->context.recorder);
    admission_free(manager->context.admission);
    passed_on_end(&manager->context);
    connection_store_free(manager->context.connection_store);
    state_free(manager->durable);
    config_version_unref(manager->version);
    closer_end();
    notify_end(&manager->notifier);
    bulk_end();
    timer_clear(&manager->status_timer);
    orphans_end(manager);
    host_name_watch_end(manager);
    stop_end(manager);
    sd_event_unref(manager->context.event);
    reserve_release(&manager->context.reserve);
}

/* With fewer descriptors, some services would take what others need. Workers that were taken over
 * serve all the same. */
static int check_descriptors(const struct manager *manager)
{
    unsigned long limit, needed;
    int r = reserve_check(manager->n_services, &limit, &needed);

    if (r < 0)
        report_daemon(
            LOG_ERR,
            "at most %lu descriptors may be open, but %lu are needed to serve %zu %s: raise "
            "LimitNOFILE= of dispatcherd.service (started by hand: ulimit -n)",
            limit, needed, manager->n_services,
            str_plural(manager->n_services, "service", "services"));
    return manager_count_workers(manager) > 0 ? 0 : r;
}

/* Reports what is due, as a reload does: the daemon may have been restarted in the middle of a
 * change. */
static void say_due(struct manager *manager)
{
    const struct subject subject = {.message_id = MESSAGE_ID_CONFIG_WARNING};

    due_refresh(manager);
    for (size_t i = 0; i < manager->due.n_items; i++)
        report(LOG_WARNING, &subject, "%s; to follow: %s", manager->due.items[i].text,
               due_command_of(manager->due.items[i].kinds));
}

/* Every start is an adoption of N >= 0 workers; the policy starts those that are missing. */
static int start(struct manager *manager, struct inherited *inherited)
{
    report_debug(manager->context.debug, DEBUG_MAIN, &(struct subject){0},
                 "process %d starts: %zu %s, spawner %s, %zu %s passed", (int)getpid(),
                 manager->n_services, str_plural(manager->n_services, "service", "services"),
                 manager->context.spawner->name, inherited->n_items,
                 str_plural(inherited->n_items, "descriptor", "descriptors"));
    config_version_tell(manager->version, manager->context.debug);
    succession_take_over(manager, inherited);
    if (!manager->is_on_last_config)
        manager_remember_config(manager);
    int r = open_sockets(manager, inherited);
    if (r == 0)
        r = check_descriptors(manager);
    if (r < 0)
        return r;
    /* Until all workers are ready: many take longer than TimeoutStartSec=. A start that fails ends
     * this, too (is_settled()). */
    timer_set_at(&manager->extend_timer, 0);
    say_due(manager);
    task_limits_report(&manager->version->config, manager->context.spawner == &spawner_unit);
    for (size_t i = 0; i < manager->n_services; i++)
        service_touch(manager->services[i]);
    /* It may take a while until all workers are ready, and some serve before. */
    on_status(manager);
    on_change(&manager->context);
    return 0;
}

/* What to do about an errno that ends the start. */
static const char *advice(int error)
{
    return error == -EFBIG
               ? ": the file size limit is too low for the state that is kept in memory; "
                 "raise LimitFSIZE= of dispatcherd.service (started by hand: ulimit -f)"
               : "";
}

int run_services(struct config_version *version, const struct run_settings *settings,
                 struct inherited *inherited)
{
    static struct manager manager;
    int status = EXIT_FAILURE;

    int r = init_context(&manager, version, settings);
    if (r == 0)
        r = add_services(&manager);
    if (r == 0)
        control_manager_open(&manager, settings->control_path);
    if (r == 0)
        r = start(&manager, inherited);
    if (r == 0)
        r = status = loop_run(manager.context.event);
    if (r < 0) {
        report_daemon(LOG_ERR, "cannot run: %s%s", strerror(-r), advice(r));
        status = r == -EMFILE ? EX_CONFIG : EXIT_FAILURE;
    } else {
        const struct subject subject = {.message_id = MESSAGE_ID_STOPPED};
        report(LOG_NOTICE, &subject, "stopped");
    }
    manager_clear(&manager);
    return status;
}
