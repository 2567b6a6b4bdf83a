/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control_manager.h"

#include "base/time.h"
#include "dispatcherd/control/control.h"
#include "dispatcherd/due_find.h"
#include "dispatcherd/reload.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/worker/channel.h"
#include "dispatcherd/worker/spawner.h"

#include <errno.h>
#include <string.h>

/* What is due is looked up in a few files: not for each of a thousand calls a second. */
#define DUE_AGE_MAX_USEC (USEC_PER_SEC / 50)

/* Nobody is shown what workers have told otherwise by now. */
static void read_rings(const struct manager *manager)
{
    for (size_t i = 0; i < manager->n_services; i++)
        if (workers_read_rings(manager->services[i]))
            service_touch(manager->services[i]);
}

static void describe(void *userdata, struct control_daemon *ret)
{
    static const char *const states[] = {
        [MANAGER_STARTING] = "starting",
        [MANAGER_RUNNING] = "running",
        [MANAGER_STOPPING] = "stopping",
        [MANAGER_LEAVING] = "leaving",
    };
    struct manager *manager = userdata;

    read_rings(manager);
    if (due_look(manager, DUE_AGE_MAX_USEC))
        manager->context.changed(&manager->context);
    *ret = (struct control_daemon){
        .state = states[manager->state],
        .is_stopping = manager->state == MANAGER_STOPPING || manager->state == MANAGER_LEAVING,
        .is_on_last_config = manager->is_on_last_config,
        .debug = manager->context.debug,
        .config_file = manager->config_file,
        .started_at = manager->started_at,
        .spawner = manager->context.spawner->name,
        .services = manager->services,
        .n_services = manager->n_services,
        .access = manager->context.access,
        .due = &manager->due,
    };
}

static int reload_for_client(void *userdata, struct problem_list *ret_problems)
{
    struct manager *manager = userdata;

    return reload(manager, ret_problems);
}

static void set_debug(void *userdata, uint32_t mask)
{
    struct manager *manager = userdata;

    manager->context.debug = mask;
}

static uint32_t configured_debug(void *userdata)
{
    const struct manager *manager = userdata;

    return manager->version->config.debug;
}

static const struct control_operations operations = {
    .describe = describe,
    .reload = reload_for_client,
    .set_debug = set_debug,
    .configured_debug = configured_debug,
};

void control_manager_open(struct manager *manager, const char *path)
{
    const struct subject subject = {.message_id = MESSAGE_ID_CONTROL_FAILED};
    const struct control_settings settings = {
        .event = manager->context.event,
        .path = path,
        .operations = &operations,
        .userdata = manager,
    };

    if (!path)
        return;
    int r = control_new(&settings, &manager->control);
    if (r < 0)
        report(LOG_ERR, &subject,
               "cannot create the control socket %s: %s; dispatcherctl will not work", path,
               r == -EADDRINUSE ? "another dispatcherd is using it" : strerror(-r));
}
