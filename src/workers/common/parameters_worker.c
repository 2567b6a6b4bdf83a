/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Separate from parameters.c, so that tests of settings do not need the workers' library. */
#include "workers/common/parameters.h"

#include <errno.h>
#include <stdlib.h>
#include <syslog.h>

static void write_to_log(const struct parameter_report *report, enum parameter_severity severity,
                         const char *text)
{
    dispatcher_worker_log(report->userdata, severity == PARAMETER_ERROR ? LOG_ERR : LOG_WARNING,
                          "%s", text);
}

int parameters_of_worker(const struct parameter_table *table, void *settings,
                         dispatcher_worker *worker)
{
    struct parameter_report report = {.write = write_to_log, .userdata = worker};
    size_t n = 0;

    while (dispatcher_worker_parameter(worker, n))
        n++;
    const char **parameters = calloc(n + 1, sizeof(*parameters));
    if (!parameters)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        parameters[i] = dispatcher_worker_parameter(worker, i);
    int r = parameters_read(table, settings, parameters, n, &report);
    free(parameters);
    return r;
}
