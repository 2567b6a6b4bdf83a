/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control_manager.h"

#include "base/time.h"
#include "dispatcherd/config/config_reading.h"
#include "dispatcherd/config/units_due.h"
#include "dispatcherd/control/control.h"
#include "dispatcherd/due_find.h"
#include "dispatcherd/process/spawner.h"
#include "dispatcherd/reload.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/worker/ring_poll.h"
#include "generator/environment.h"
#include "generator/units.h"

#include <errno.h>
#include <string.h>

/* Finding what is due takes reading a few files: too much for each of a thousand calls a second. */
#define DUE_AGE_MAX_USEC (USEC_PER_SEC / 50)

/* Replies must not differ from what workers have reported already. */
static void read_rings(const struct manager *manager)
{
    for (size_t i = 0; i < manager->n_services; i++)
        if (ring_poll_all(manager->services[i]))
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
        .mapping_file = manager->mapping_file,
        .version = manager->version,
        .started_at = manager->started_at,
        .spawner = manager->context.spawner->name,
        .services = manager->services,
        .n_services = manager->n_services,
        .admission = manager->context.admission,
        .due = &manager->due,
    };
}

static int reload_for_client(void *userdata, struct problem_list *ret_problems)
{
    struct manager *manager = userdata;

    return reload(manager, ret_problems);
}

/* The units that the generator would write. */
static int make_units(const struct manager *manager, const struct config *config,
                      struct unit_list *ret)
{
    const struct unit_environment environment = unit_environment_here(manager->config_file);
    struct problem_list of_units = {0}; /* not reported here: the generator does that */

    if (!manager->has_passed_sockets || !units_due_applies(manager->config_file))
        return 0;
    int r = units_make(config, &environment, &of_units, ret);
    problem_list_clear(&of_units);
    return r;
}

/* Like the first part of reload(), before anything changes. */
static int read_files(void *userdata, struct config_version **ret_version,
                      struct unit_list *ret_units, struct problem_list *ret_problems)
{
    const struct manager *manager = userdata;
    struct config_version *version;

    int r = config_reading_read(manager->config_file, manager->mapping_file, true,
                                CONFIG_READING_RELOAD_USEC, ret_problems, &version);
    if (r < 0)
        return r;
    r = config_version_guard(manager->version, version, manager->config_file, manager->mapping_file,
                             ret_problems);
    if (r == 0)
        r = make_units(manager, &version->config, ret_units);
    if (r < 0)
        config_version_unref(version);
    else
        *ret_version = version;
    return r;
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
    .read_files = read_files,
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
