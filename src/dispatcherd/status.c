/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/status.h"

#include "base/str.h"
#include "dispatcherd/checks/access.h"
#include "dispatcherd/core/alerts.h"

static void add_service(struct str_buffer *line, const struct service *service)
{
    const struct pool *pool = service->pool;

    str_buffer_add(line, "%s", service->options->name);
    if (service->start_error[0] && pool->n_ready == 0)
        str_buffer_add(line, " cannot start a worker: %s", service->start_error);
    else
        str_buffer_add(line, " %u/%u workers, %u/%lu connections", pool_total(pool),
                       service->pool_options.max_procs, pool->n_active + pool->n_handoffs,
                       service_places(service));
    if (pool->n_waiting > 0)
        str_buffer_add(line, ", %u waiting", pool->n_waiting);
    if (pool->n_draining > 0)
        str_buffer_add(line, ", %u draining", pool->n_draining);
    if (service->n_listeners == 0 && !pool->is_stopping)
        str_buffer_add(line, ", no socket");
}

/* First in the line, since that may be cut. The words do not change while an alert lasts. */
static void add_alerts(struct str_buffer *line, const struct manager *manager)
{
    static const char *const words[N_SERVICE_ALERTS] = {
        [SERVICE_ALERT_FULL] = "is full",
        [SERVICE_ALERT_WAITING] = "keeps clients waiting",
        [SERVICE_ALERT_DYING] = "loses its workers",
        [SERVICE_ALERT_UNREACHABLE] = "cannot be reached",
        [SERVICE_ALERT_REFUSING] = "refuses everybody",
        [SERVICE_ALERT_BACKEND] = "lacks a back end",
    };
    const struct access *access = manager->context.access;

    for (size_t i = 0; i < manager->n_services; i++)
        for (enum service_alert alert = 0; alert < N_SERVICE_ALERTS; alert++)
            if (manager->services[i]->alerts[alert].is_raised)
                str_buffer_add(line, "%s %s; ", manager->services[i]->options->name, words[alert]);
    for (size_t i = 0; access && i < access->list_alerts.n_items; i++)
        if (access->list_alerts.items[i].alert.is_raised)
            str_buffer_add(line, "DNS list %s is set aside; ", access->list_alerts.items[i].zone);
}

static void add_due(struct str_buffer *line, const struct due_list *due)
{
    char command[DUE_COMMAND_MAX];

    if (due->n_items > 0)
        str_buffer_add(line, "due: %s; ", due_command(due, command));
}

const char *status_format(const struct manager *manager, char *text, size_t size)
{
    struct str_buffer line = str_buffer_init(text, size);

    if (manager->state == MANAGER_STARTING)
        str_buffer_add(&line, "starting; ");
    if (manager->is_on_last_config)
        str_buffer_add(&line, "dispatcher.cnf is broken, the last good one is in use; ");
    add_due(&line, &manager->due);
    add_alerts(&line, manager);
    for (size_t i = 0; i < manager->n_services; i++) {
        if (i > 0)
            str_buffer_add(&line, "; ");
        add_service(&line, manager->services[i]);
    }
    return text;
}
