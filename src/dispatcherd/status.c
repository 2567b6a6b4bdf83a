/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/status.h"

#include "base/str.h"
#include "dispatcherd/alerts/alert_watch.h"
#include "dispatcherd/checks/admission.h"

static void add_service(struct str_buffer *line, const struct service *service)
{
    const struct pool *pool = service->pool;

    str_buffer_add(line, "%s", service->options->name);
    if (service->failed_starts.error[0] && pool->n_ready == 0)
        str_buffer_add(line, " cannot start a worker: %s", service->failed_starts.error);
    else
        str_buffer_add(line, " %u/%u workers, %u/%lu connections", pool_total(pool),
                       service->pool_options.max_procs, pool_load(pool), service_places(service));
    if (pool->n_waiting > 0)
        str_buffer_add(line, ", %u waiting", pool->n_waiting);
    if (pool->n_draining > 0)
        str_buffer_add(line, ", %u draining", pool->n_draining);
    if (service->n_listeners == 0 && !pool->is_stopping)
        str_buffer_add(line, ", no socket");
}

/* Alerts come first, since the line may be cut. Their words do not change while they last. */
static void add_alerts(struct str_buffer *line, const struct manager *manager)
{
    static const char *const words[N_SERVICE_ALERTS] = {
        [SERVICE_ALERT_FULL] = "is full",
        [SERVICE_ALERT_WAITING] = "keeps clients waiting",
        [SERVICE_ALERT_DYING] = "loses its workers",
        [SERVICE_ALERT_UNREACHABLE] = "cannot be reached",
        [SERVICE_ALERT_REFUSING] = "rejects every client",
        [SERVICE_ALERT_BACKEND] = "lacks a back end",
        [SERVICE_ALERT_CERTIFICATE] = "needs a certificate",
    };
    const struct admission *admission = manager->context.admission;

    for (size_t i = 0; i < manager->n_services; i++)
        for (enum service_alert alert = 0; alert < N_SERVICE_ALERTS; alert++)
            if (manager->services[i]->alerts.of[alert].is_raised)
                str_buffer_add(line, "%s %s; ", manager->services[i]->options->name, words[alert]);
    for (size_t i = 0; admission && i < admission->list_alerts.n_items; i++)
        if (admission->list_alerts.items[i].alert.is_raised)
            str_buffer_add(line, "DNS list %s is set aside; ",
                           admission->list_alerts.items[i].zone);
    if (admission && admission->fleet && fleet_alert(admission->fleet)->is_raised)
        str_buffer_add(line, "the fleet's store is away; ");
}

static void add_due(struct str_buffer *line, const struct due_list *due)
{

    if (due->n_items > 0)
        str_buffer_add(line, "due: %s; ", due_command(due));
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
    if (manager->version->config.n_services == 0)
        str_buffer_add(&line, "dispatcher.cnf has no service, nothing is served");
    return text;
}
