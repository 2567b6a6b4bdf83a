/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "kit/play/notified.h"

#include "kit/play/verdict.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notified_open(struct notified *notified, const char *folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    *notified = (struct notified){0};
    snprintf(notified->path, sizeof(notified->path), "%s%d", folder ? folder : "@worker-test-",
             (int)getpid());
    size_t length = strlen(notified->path);
    memcpy(address.sun_path, notified->path, length);
    if (!folder)
        address.sun_path[0] = '\0';
    notified->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK_CALL(notified->fd);
    CHECK_CALL(bind(notified->fd, (const struct sockaddr *)&address,
                    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)));
}

static void read_line(struct notified *notified, const char *line)
{
    if (strcmp(line, "READY=1") == 0)
        notified->is_ready = true;
    else if (strcmp(line, "WATCHDOG=1") == 0)
        notified->has_watchdog = true;
}

bool notified_read(struct notified *notified)
{
    char text[4096], *rest;
    ssize_t length;
    bool has_any = false;

    notified->has_watchdog = false;
    while ((length = recv(notified->fd, text, sizeof(text) - 1, MSG_DONTWAIT)) > 0) {
        has_any = true;
        text[length] = '\0';
        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
            read_line(notified, line);
    }
    return has_any;
}
