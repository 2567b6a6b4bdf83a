/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/store/job.h"

#include "base/str.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/store/systemd_bus.h"

#include <errno.h>
#include <string.h>

const char *job_type_to_string(enum job_type type)
{
    static const char *const texts[] = {
        [JOB_NONE] = "none",
        [JOB_STOP] = "stop",
        [JOB_RESTART] = "restart",
        [JOB_UNKNOWN] = "unknown",
    };

    return texts[type];
}

/* Finds the object path of the unit's job, which the caller frees; NULL with 0 if there is none. */
static int find_job(sd_bus *bus, const char *unit_path, char **ret_path)
{
    _cleanup_systemd_bus_message_ sd_bus_message *reply = NULL;
    const char *path;
    uint32_t id;

    int r = sd_bus_get_property(bus, SYSTEMD_BUS_NAME, unit_path, SYSTEMD_BUS_NAME ".Unit", "Job",
                                NULL, &reply, "(uo)");
    if (r < 0)
        return r;
    r = sd_bus_message_read(reply, "(uo)", &id, &path);
    if (r < 0)
        return r;
    if (id == 0)
        return 0;
    *ret_path = strdup(path);
    return *ret_path ? 0 : -ENOMEM;
}

static int read_job_type(enum job_type *ret)
{
    _cleanup_str_ char *unit_path = NULL, *job_path = NULL, *type = NULL;
    _cleanup_systemd_bus_ sd_bus *bus = NULL;

    int r = systemd_bus_open(&bus);
    if (r < 0)
        return r;
    r = systemd_bus_find_own_unit(bus, &unit_path);
    if (r == 0)
        r = find_job(bus, unit_path, &job_path);
    if (r < 0)
        return r;
    if (!job_path) {
        *ret = JOB_NONE;
        return 0;
    }
    r = sd_bus_get_property_string(bus, SYSTEMD_BUS_NAME, job_path, SYSTEMD_BUS_NAME ".Job",
                                   "JobType", NULL, &type);
    if (r < 0)
        return r;
    *ret = strcmp(type, "stop") == 0 ? JOB_STOP : JOB_RESTART;
    return 0;
}

enum job_type job_ask(void)
{
    enum job_type type;

    int r = read_job_type(&type);

    if (r >= 0)
        return type;
    report_daemon(LOG_NOTICE,
                  "cannot ask systemd why it stops this process: %s; assuming a restart: the "
                  "workers keep running for the next dispatcherd",
                  strerror(-r));
    return JOB_UNKNOWN;
}
