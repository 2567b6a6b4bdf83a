/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/config/last_config.h"

#include "base/fd.h"
#include "base/memfd.h"
#include "config/print.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

int last_config_write(const struct config *config)
{
    _cleanup_fd_ int fd = memfd_new("dispatcherd-config");

    if (fd < 0)
        return fd;
    _cleanup_fd_ int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *stream = copy < 0 ? NULL : fdopen(copy, "w");
    if (!stream)
        return -errno;
    copy = -1; /* belongs to the stream now */
    int r = config_print(config, stream);
    if (fclose(stream) != 0 && r == 0)
        r = -errno;
    if (r < 0)
        return r;
    r = memfd_freeze(fd);
    return r < 0 ? r : take_fd(&fd);
}

int last_config_read(int config_fd, int mapping_fd, struct config_version **ret)
{
    struct problem_list problems = {0};
    char config_file[32], mapping_file[32] = "";

    snprintf(config_file, sizeof(config_file), "/proc/self/fd/%d", config_fd);
    if (mapping_fd >= 0)
        snprintf(mapping_file, sizeof(mapping_file), "/proc/self/fd/%d", mapping_fd);
    int r = config_version_read(config_file, mapping_file, false, &problems, ret);
    problem_list_clear(&problems);
    return r;
}
