/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "generator/boot_log.h"

#include "base/fd.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define IDENTIFIER "dispatcherd-generator"

enum {
    TEXT_MAX = 2048
}; /* bytes of the text of a line */

static bool is_by_hand;

void boot_log_by_hand(void)
{
    is_by_hand = true;
}

static bool send_to_kernel(int priority, const char *text)
{
    char line[TEXT_MAX + 64];
    _cleanup_fd_ int fd = open("/dev/kmsg", O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return false;
    int n = snprintf(line, sizeof(line), "<%d>" IDENTIFIER "[%d]: %s\n", LOG_DAEMON | priority,
                     (int)getpid(), text);
    return write(fd, line, (size_t)n) == n;
}

static bool send_to_journal(int priority, const char *text)
{
    static const struct sockaddr_un journal = {.sun_family = AF_UNIX,
                                               .sun_path = "/run/systemd/journal/socket"};
    char datagram[TEXT_MAX + 128];
    _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return false;
    int n = snprintf(datagram, sizeof(datagram),
                     "PRIORITY=%d\nSYSLOG_IDENTIFIER=" IDENTIFIER "\nMESSAGE=%s\n", priority, text);
    return sendto(fd, datagram, (size_t)n, MSG_NOSIGNAL, (const struct sockaddr *)&journal,
                  sizeof(journal)) == n;
}

/* Makes one line of the text, whatever a file's name contains. */
static void flatten(char *text)
{
    for (char *s = text; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7f)
            *s = '?';
}

void boot_log(int priority, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    flatten(text);
    if (is_by_hand || (!send_to_kernel(priority, text) && !send_to_journal(priority, text)))
        dprintf(STDERR_FILENO, IDENTIFIER ": %s\n", text);
}
