/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/service/operations.h"

#include "dispatcherd/config/config_version.h"
#include "dispatcherd/messages/orders.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/service/listener.h"
#include "dispatcherd/service/sockets.h"
#include "dispatcherd/worker/life.h"

static void say(const struct service *service, const char *what)
{
    const struct subject subject = {.service = service->options->name};

    report(LOG_NOTICE, &subject, "%s", what);
}

void operation_stop(struct service *service)
{
    if (service->pool->is_stopping)
        return;
    pool_stop(service->pool);
    workers_hurry(service);
    listeners_close_own(service);
    say(service, "stopped on request; sessions may finish");
    service_touch(service);
}

int operation_start(struct service *service)
{
    if (!service->pool->is_stopping)
        return 0;
    if (service->n_listeners == 0) {
        int r = sockets_bind(service);

        if (r < 0 && service->n_listeners == 0)
            return r;
        r = listeners_start(service);
        if (r < 0)
            return r;
    }
    pool_resume(service->pool);
    say(service, "started on request");
    service_touch(service);
    return 0;
}

unsigned operation_replace_workers(struct service *service)
{
    unsigned n = 0;

    for (unsigned slot = 0; slot < service->pool->n_slots; slot++) {
        enum pool_worker_state state = service->pool->workers[slot].state;

        if (state != POOL_WORKER_STARTING && state != POOL_WORKER_READY)
            continue;
        pool_worker_outdated(service->pool, slot);
        n++;
    }
    service_touch(service);
    return n;
}

unsigned operation_restart(struct service *service)
{
    say(service, "restarted on request; replacing its workers one after another");
    return operation_replace_workers(service);
}

void operation_set_debug(struct service *service, uint32_t mask)
{
    /* The options belong to the version, which may be changed here. */
    size_t i = (size_t)(service->options - service->version->config.services);

    service->version->config.services[i].debug = mask;
    order_debug_all(service);
}
