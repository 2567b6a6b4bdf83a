/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/limits/task_limits.h"

#include "base/str.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/store/systemd_bus.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define CGROUPS "/sys/fs/cgroup"
#define SLICE   "/dispatcherd.slice"

/* 0: it says something else, or cannot be read. */
static uint64_t task_limits_read_number(const char *path)
{
    FILE *stream = fopen(path, "re");
    uint64_t n = 0;

    if (!stream)
        return 0;
    if (fscanf(stream, "%" SCNu64, &n) != 1)
        n = 0;
    fclose(stream);
    return n;
}

/* Of this process, in the one hierarchy of cgroups(7), version 2; "" otherwise. */
static void task_limits_find_own_group(char *path, size_t size)
{
    FILE *stream = fopen("/proc/self/cgroup", "re");
    char line[PATH_MAX];

    path[0] = '\0';
    while (stream && fgets(line, sizeof(line), stream))
        if (strncmp(line, "0::", 3) == 0) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(path, size, "%s", line + 3);
        }
    if (stream)
        fclose(stream);
}

/* The lowest limit of the group and those that it is part of. */
static void task_limits_read_group(char *group, struct task_limits *ret)
{
    char path[PATH_MAX + 64];

    for (char *end; (end = strrchr(group, '/')) && end[1]; *end = '\0') {
        snprintf(path, sizeof(path), CGROUPS "%s/pids.max", group);
        uint64_t max = task_limits_read_number(path);
        if (max == 0 || (ret->group_max > 0 && max >= ret->group_max))
            continue;
        ret->group_max = max;
        snprintf(ret->group, sizeof(ret->group), "%s", end + 1);
    }
}

void task_limits_read(bool is_unit, struct task_limits *ret)
{
    char group[PATH_MAX] = SLICE;

    *ret = (struct task_limits){
        .pid_max = task_limits_read_number("/proc/sys/kernel/pid_max"),
        .threads_max = task_limits_read_number("/proc/sys/kernel/threads-max"),
    };
    if (!is_unit)
        task_limits_find_own_group(group, sizeof(group));
    task_limits_read_group(group, ret);
}

void task_limits_report(const struct config *config, bool is_unit)
{
    const struct subject subject = {.message_id = MESSAGE_ID_CONFIG_WARNING};
    char text[TASK_ROOM_TEXT_MAX];
    struct task_limits limits;

    task_limits_read(is_unit, &limits);
    if (!task_room_fits(config, &limits, text))
        report(LOG_WARNING, &subject, "%s", text);
}

/* systemd loads the unit to answer, and starts nothing. */
uint64_t task_limits_of_worker(const char *unit_name)
{
    _cleanup_systemd_bus_ sd_bus *bus = NULL;
    _cleanup_str_ char *path = NULL;
    char unit[128];
    uint64_t max = 0;

    snprintf(unit, sizeof(unit), "dispatcherd-%s-worker@check.service", unit_name);
    if (systemd_bus_open(&bus) < 0 ||
        sd_bus_path_encode(SYSTEMD_BUS_PATH "/unit", unit, &path) < 0 ||
        sd_bus_get_property_trivial(bus, SYSTEMD_BUS_NAME, path, SYSTEMD_BUS_NAME ".Service",
                                    "TasksMax", NULL, 't', &max) < 0)
        return 0;
    return max == UINT64_MAX ? 0 : max;
}
