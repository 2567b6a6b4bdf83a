/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/limits/task_room.h"

#include "base/macro.h"

#include <inttypes.h>
#include <stdio.h>

/* What runs on a machine besides. A process number is not given twice, and the lowest 300 never
 * again. */
#define TASKS_OF_OTHERS 1000

uint64_t task_room_of_worker(const struct service_options *service)
{
    /* One more reads the channel. */
    return (uint64_t)service->max_conns + 1;
}

static uint64_t task_room_of_service(const struct service_options *service)
{
    return service->is_enabled ? service->max_procs * task_room_of_worker(service) : 0;
}

uint64_t task_room_needed(const struct config *config)
{
    uint64_t n = 0;

    for (size_t i = 0; i < config->n_services; i++)
        n += task_room_of_service(&config->services[i]);
    return n;
}

const struct service_options *task_room_largest(const struct config *config)
{
    const struct service_options *largest = NULL;

    for (size_t i = 0; i < config->n_services; i++)
        if (config->services[i].is_enabled &&
            (!largest ||
             task_room_of_service(&config->services[i]) > task_room_of_service(largest)))
            largest = &config->services[i];
    return largest;
}

bool task_room_fits(const struct config *config, const struct task_limits *limits,
                    char text[TASK_ROOM_TEXT_MAX])
{
    const struct {
        uint64_t max, n_others;
        const char *what, *remedy, *consequence;
    } all[] = {
        {limits->pid_max, TASKS_OF_OTHERS, "the sysctl kernel.pid_max",
         "sysctl kernel.pid_max=", "no process on this machine could be started"},
        {limits->threads_max, TASKS_OF_OTHERS, "the sysctl kernel.threads-max",
         "sysctl kernel.threads-max=", "no process on this machine could be started"},
        {limits->group_max, 0, limits->group, "TasksMax=", "workers could not be started"},
    };
    const struct service_options *largest = task_room_largest(config);
    uint64_t needed = task_room_needed(config);

    text[0] = '\0';
    for (size_t i = 0; i < ELEMENTSOF(all); i++) {
        if (!largest || all[i].max == 0 || needed + all[i].n_others <= all[i].max)
            continue;
        snprintf(text, TASK_ROOM_TEXT_MAX,
                 "the workers of all services may have %" PRIu64
                 " threads (MAX_PROCS times MAX_CONNS; %s: %u times %u), but %s allows %" PRIu64
                 "%s: %s when they are needed; lower MAX_PROCS or MAX_CONNS, or raise the limit: "
                 "%s%" PRIu64,
                 needed, largest->name, largest->max_procs, largest->max_conns, all[i].what,
                 all[i].max, all[i].n_others > 0 ? " on the whole machine" : "", all[i].consequence,
                 all[i].remedy, needed + all[i].n_others);
        return false;
    }
    return true;
}

static const struct origin *task_room_origin(const struct service_options *service,
                                             enum option_id option)
{
    return service->origins[option].file ? &service->origins[option] : &service->origin;
}

void task_room_check(const struct config *config, const struct task_limits *limits,
                     struct problem_list *problems)
{
    char text[TASK_ROOM_TEXT_MAX];

    if (task_room_fits(config, limits, text))
        return;
    const struct origin *at = task_room_origin(task_room_largest(config), OPTION_MAX_PROCS);
    problem_add(problems, PROBLEM_WARNING, at->file, at->line, "%s", text);
}

void task_room_check_worker(const struct service_options *service, uint64_t tasks_max,
                            struct problem_list *problems)
{
    const struct origin *at = task_room_origin(service, OPTION_MAX_CONNS);
    uint64_t needed = task_room_of_worker(service);

    if (tasks_max == 0 || needed <= tasks_max)
        return;
    problem_add(problems, PROBLEM_WARNING, at->file, at->line,
                "a worker of %s needs %" PRIu64 " threads for MAX_CONNS=%u, but TasksMax= of its "
                "unit is %" PRIu64 ": it would serve fewer connections; lower MAX_CONNS, or raise "
                "it: systemctl edit dispatcherd-%s-worker@.service, [Service], TasksMax=%" PRIu64,
                service->name, needed, service->max_conns, tasks_max, service->unit_name, needed);
}
