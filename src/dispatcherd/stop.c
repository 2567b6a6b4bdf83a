/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/stop.h"

#include "base/event_source.h"
#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/checks/check.h"
#include "dispatcherd/core/connection_store.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/service/listener.h"
#include "dispatcherd/store/job.h"
#include "dispatcherd/worker/life.h"

#include <stdlib.h>

/* How long workers may take to exit after their sessions were cut. */
#define CUT_LIMIT_USEC (2 * USEC_PER_SEC)

/* How long accepted connections that have no worker yet may delay a restart. */
#define LEAVE_LIMIT_USEC (5 * USEC_PER_SEC)

/* How often those among them that can be stored are put into the store meanwhile. */
#define LEAVE_INTERVAL_USEC (USEC_PER_SEC / 50)

/* While sessions go on, or a start does, the service manager is asked for more time this often. */
#define EXTEND_INTERVAL_USEC (10 * USEC_PER_SEC)

static void cut(struct manager *manager)
{
    const struct subject subject = {.message_id = MESSAGE_ID_SESSIONS_CUT};
    unsigned n_passed_on = manager_count_passed_on(manager);
    unsigned n = manager_count_connections(manager) - n_passed_on;

    manager->is_cut = true;
    if (n_passed_on > 0)
        report(LOG_NOTICE, &(struct subject){0}, "%u %s in the programs that they were passed to",
               n_passed_on, str_plural(n_passed_on, "connection goes on", "connections go on"));
    if (n > 0)
        report(LOG_WARNING, &subject, "closing %u %s that did not end in the time for stopping", n,
               str_plural(n, "connection", "connections"));
    for (size_t i = 0; i < manager->n_services; i++)
        for (unsigned slot = 0; slot < POOL_WORKERS_MAX; slot++)
            if (manager->services[i]->workers[slot])
                worker_cut(manager->services[i]->workers[slot]);
}

static void on_drain_limit(struct manager *manager)
{
    if (manager->is_cut) {
        event_loop_exit(manager->context.event, EXIT_SUCCESS);
        return;
    }
    cut(manager);
    timer_set_in(&manager->stop_timer, CUT_LIMIT_USEC);
}

static void on_extend(void *userdata)
{
    struct manager *manager = userdata;

    notify_extend(&manager->notifier, 3 * EXTEND_INTERVAL_USEC);
    timer_set_in(&manager->extend_timer, EXTEND_INTERVAL_USEC);
}

/* Those that wait for a worker, for a while by now. */
static void leave_waiting(struct service *service)
{
    struct connection *connection = TAILQ_FIRST(&service->waiting);

    while (connection) {
        struct connection *next = TAILQ_NEXT(connection, queue_link);

        if (connection_store_keep(connection))
            connection_close(connection, time_now_usec(CLOCK_MONOTONIC));
        connection = next;
    }
}

static void leave_stored(struct manager *manager)
{
    for (size_t i = 0; i < manager->n_services; i++) {
        checks_leave(manager->services[i]);
        leave_waiting(manager->services[i]);
    }
}

/* Others may wait for long by now, and the service manager take more messages. */
static void on_leaving(struct manager *manager)
{
    leave_stored(manager);
    stop_check(manager);
    if (time_now_usec(CLOCK_MONOTONIC) >= manager->leave_until)
        event_loop_exit(manager->context.event, EXIT_SUCCESS);
    else
        timer_set_in(&manager->stop_timer, LEAVE_INTERVAL_USEC);
}

static void on_stop_timer(void *userdata)
{
    struct manager *manager = userdata;

    if (manager->state == MANAGER_LEAVING)
        on_leaving(manager);
    else
        on_drain_limit(manager);
}

int stop_init(struct manager *manager)
{
    sd_event *event = manager->context.event;
    int r = timer_init(&manager->stop_timer, event, USEC_PER_MSEC, on_stop_timer, manager);

    if (r == 0)
        r = timer_init(&manager->extend_timer, event, USEC_PER_SEC / 10, on_extend, manager);
    return r;
}

void stop_end(struct manager *manager)
{
    timer_clear(&manager->stop_timer);
    timer_clear(&manager->extend_timer);
}

static void leave(struct manager *manager, enum job_type job)
{
    unsigned n_workers = manager_count_workers(manager);
    unsigned n_connections = manager_count_connections(manager);

    manager->state = MANAGER_LEAVING;
    report_daemon(LOG_NOTICE, "leaving %u %s with %u %s to the successor (job: %s)", n_workers,
                  str_plural(n_workers, "worker", "workers"), n_connections,
                  str_plural(n_connections, "connection", "connections"), job_type_to_string(job));
    manager->leave_until = time_now_usec(CLOCK_MONOTONIC) + LEAVE_LIMIT_USEC;
    timer_set_in(&manager->stop_timer, LEAVE_INTERVAL_USEC);
    for (size_t i = 0; i < manager->n_services; i++)
        listeners_free(manager->services[i]);
    leave_stored(manager);
    stop_check(manager);
}

static void drain(struct manager *manager)
{
    unsigned limit_sec = manager->context.stop_limit_sec;
    unsigned n = manager_count_connections(manager);

    manager->state = MANAGER_STOPPING;
    report_daemon(LOG_NOTICE, "stopping; %u %s may continue for up to %u s", n,
                  str_plural(n, "connection", "connections"), limit_sec);
    /* A second more than the workers have, who keep to their limit themselves. */
    timer_set_in(&manager->stop_timer, (limit_sec + 1) * USEC_PER_SEC);
    timer_set_at(&manager->extend_timer, 0);
    for (size_t i = 0; i < manager->n_services; i++) {
        listeners_free(manager->services[i]);
        pool_stop(manager->services[i]->pool);
        workers_hurry(manager->services[i]);
        service_touch(manager->services[i]);
    }
    /* Without a service, no event would end the daemon. */
    stop_check(manager);
}

void stop_begin(struct manager *manager)
{
    if (manager->state == MANAGER_STOPPING || manager->state == MANAGER_LEAVING) {
        manager->leave_until = 0;
        timer_set_at(&manager->stop_timer, 0);
        return;
    }
    notify_stopping(&manager->notifier);
    spare_sockets_clear(&manager->spare_sockets);
    enum job_type job = manager->has_successor_store ? job_ask() : JOB_STOP;
    if (job == JOB_STOP)
        drain(manager);
    else
        leave(manager, job);
}

static bool has_waiting(const struct manager *manager)
{
    for (size_t i = 0; i < manager->n_services; i++)
        if (manager->services[i]->pool->n_waiting + manager->services[i]->pool->n_checking > 0)
            return true;
    return false;
}

void stop_check(struct manager *manager)
{
    bool is_done = false;

    if (manager->state == MANAGER_LEAVING)
        is_done = !has_waiting(manager);
    else if (manager->state == MANAGER_STOPPING)
        is_done = manager_count_workers(manager) == 0 &&
                  (manager->is_cut || manager_count_connections(manager) == 0);
    if (is_done)
        event_loop_exit(manager->context.event, EXIT_SUCCESS);
}
