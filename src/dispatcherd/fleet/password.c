/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/fleet/password.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fleet_password_read(char password[FLEET_PASSWORD_MAX])
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    char path[PATH_MAX];

    if (!folder || snprintf(path, sizeof(path), "%s/fleet.password", folder) >= PATH_MAX)
        return 0;
    /* A credential is a file in memory of this host; anything else must not delay the daemon. */
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    ssize_t n = read(fd, password, FLEET_PASSWORD_MAX);
    if (n < 0)
        return -errno;
    if (n == FLEET_PASSWORD_MAX)
        return -E2BIG;
    password[n] = '\0';
    password[strcspn(password, "\r\n")] = '\0';
    return password[0] ? 1 : 0;
}
