/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "bench/handler.h"

#include <string.h>
#include <sys/socket.h>

static void say(int fd, const char *text)
{
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

void handler_serve(int fd)
{
    char line[256];

    say(fd, GREETING);
    for (;;) {
        ssize_t length = recv(fd, line, sizeof(line), 0);

        if (length <= 0)
            return;
        if (length >= 4 && memcmp(line, QUIT, 4) == 0)
            break;
    }
    say(fd, FAREWELL);
}
