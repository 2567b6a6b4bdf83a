/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/host_name_watch.h"

#include "base/fd.h"
#include "base/host_name.h"
#include "base/str.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/service/operations.h"

#include <fcntl.h>
#include <string.h>

/* Always readable; reports an error condition after each change, until the next poll (proc(5)). */
#define HOST_NAME_FILE "/proc/sys/kernel/hostname"

static int on_change(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events,
                     void *userdata)
{
    struct manager *manager = userdata;
    char name[HOST_NAME_BYTES];
    unsigned n = 0;

    if (strcmp(host_name_read_short(name), manager->host_name) == 0)
        return 0;
    memcpy(manager->host_name, name, sizeof(name));
    for (size_t i = 0; i < manager->n_services; i++)
        if (!manager->services[i]->is_going)
            n += operation_replace_workers(manager->services[i]);
    report_daemon(LOG_NOTICE,
                  "the host's name has changed to %s; replacing %u %s with the old name", name, n,
                  str_plural(n, "worker", "workers"));
    return 0;
}

int host_name_watch_start(struct manager *manager)
{
    host_name_read_short(manager->host_name);
    _cleanup_fd_ int fd = open(HOST_NAME_FILE, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return 0;
    int r = sd_event_add_io(manager->context.event, &manager->host_name_source, fd, 0, on_change,
                            manager);
    if (r >= 0)
        r = sd_event_source_set_io_fd_own(manager->host_name_source, true);
    if (r < 0)
        return r;
    (void)take_fd(&fd);
    return 0;
}

void host_name_watch_end(struct manager *manager)
{
    manager->host_name_source = sd_event_source_disable_unref(manager->host_name_source);
}
