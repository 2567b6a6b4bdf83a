/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/manager.h"

#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/checks/check.h"
#include "dispatcherd/config/last_config.h"
#include "dispatcherd/messages/worker_log.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/service/dispatch.h"
#include "dispatcherd/service/listener.h"
#include "dispatcherd/store/store.h"

#include <errno.h>
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
        n += pool_load(pool) + pool->n_waiting;
    }
    return n;
}

unsigned manager_count_passed_on(const struct manager *manager)
{
    unsigned n = 0;

    for (size_t i = 0; i < manager->n_services; i++)
        n += manager->services[i]->pool->n_passed_on;
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
    if (service->context->admission)
        dns_lists_close_account(service->context->admission->lists, &service->dns_account);
    service_free(service);
}

void manager_record(struct manager *manager)
{
    struct recorder **recorder = &manager->context.recorder;
    const char *path = manager->version->config.record;

    if (*recorder && path && strcmp(recorder_path(*recorder), path) == 0) {
        recorder_describe_again(*recorder);
        return;
    }
    recorder_free(STEAL(*recorder));
    int r = path ? recorder_new(manager->context.event, path, recorder) : 0;
    if (r < 0)
        report_daemon(LOG_ERR, "cannot record to %s: %s", path, strerror(-r));
}

void manager_set_fleet(struct manager *manager)
{
    const struct config *config = &manager->version->config;
    const struct fleet_settings settings = {.stores = &config->fleet,
                                            .name = config->fleet_name,
                                            .wait_usec = config->fleet_wait_msec * USEC_PER_MSEC,
                                            .has_addresses = config->fleet_addresses};

    admission_set_fleet(manager->context.admission, &settings);
    for (size_t i = 0; i < manager->n_services; i++)
        admission_share_addresses(manager->services[i]);
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
