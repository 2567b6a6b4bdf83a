/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/common/send_away.h"

#include <string.h>
#include <sys/socket.h>

/* How much of the client's input is read: a close with unread bytes sends a reset, which may
 * overtake the text (RFC 2525, 2.17). The kernel's default receive buffer is 128 KiB. */
#define UNREAD_MAX (128 * 1024)

void send_away(int fd, enum come_back_protocol protocol)
{
    const char *text = come_back_text(protocol, COME_BACK_BUSY);
    char unread[4096];
    size_t n = 0;
    ssize_t r;

    if (*text)
        (void)!send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    while (n < UNREAD_MAX && (r = recv(fd, unread, sizeof(unread), MSG_DONTWAIT)) > 0)
        n += (size_t)r;
}
