/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/manager.h"

#include "base/fd.h"
#include "dispatcherd/checks/access.h"
#include "dispatcherd/checks/check.h"
#include "dispatcherd/last_config.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/service/dispatch.h"
#include "dispatcherd/service/listener.h"
#include "dispatcherd/store/store.h"
#include "dispatcherd/worker/worker_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned manager_count_workers(const struct manager *manager)
{
    unsigned n = 0;

    for (size_t i = 0; i < manager->n_services; i++)
        n += pool_total(manager->services[i]->pool);
    return n;
}

unsigned manager_count_connections(const struct manager *manager)
{
    unsigned n = 0;

    for (size_t i = 0; i < manager->n_services; i++) {
        const struct pool *pool = manager->services[i]->pool;
        n += pool->n_active + pool->n_handoffs + pool->n_waiting;
    }
    return n;
}

int manager_add_service(struct manager *manager, struct config_version *version,
                        const struct service_options *options, struct service **ret)
{
    struct service **services =
        reallocarray(manager->services, manager->n_services + 1, sizeof(struct service *));

    if (!services)
        return -ENOMEM;
    manager->services = services;
    struct service_state *state = state_claim(manager->durable, options->unit_name);
    if (!state)
        return -E2BIG;
    int r = service_new(&manager->context, version, options, state, dispatch_run, ret);
    if (r < 0) {
        state_release(state);
        return r;
    }
    services[manager->n_services++] = *ret;
    worker_logs_watch(*ret);
    return 0;
}

void manager_free_service(struct service *service)
{
    listeners_free(service);
    checks_close(service);
    if (service->context->access)
        dns_lists_close_account(service->context->access->lists, &service->dns_account);
    service_free(service);
}

static int remember_config(struct manager *manager)
{
    if (manager->version->mapping_copy < 0)
        return manager->version->mapping_copy;
    _cleanup_fd_ int config_fd = last_config_write(&manager->version->config);
    if (config_fd < 0)
        return config_fd;
    int r = store_replace(STORE_MAPPINGS, manager->config_number, manager->version->mapping_copy);
    if (r == 0)
        r = store_replace(STORE_CONFIG, manager->config_number, config_fd);
    return r;
}

void manager_remember_config(struct manager *manager)
{
    int r = remember_config(manager);

    if (r < 0)
        report_daemon(LOG_WARNING,
                      "cannot keep a copy of this configuration: %s; if the files are broken at a "
                      "restart of dispatcherd, it uses an older copy, or does not start",
                      strerror(-r));
    else
        manager->config_number++;
}
