/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "generator/environment.h"

#include "base/fd.h"

#include <errno.h>
#include <sys/socket.h>

/* Making a socket loads the kernel's module if there is one; looking into /proc would not. */
static bool kernel_has_ipv6(void)
{
    _cleanup_fd_ int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd >= 0 || errno != EAFNOSUPPORT;
}

struct unit_environment unit_environment_here(const char *source_path)
{
    return (struct unit_environment){.source_path = source_path,
                                     .user = DISPATCHER_USER,
                                     .has_ipv6 = kernel_has_ipv6(),
                                     .systemd_version = SYSTEMD_VERSION};
}
