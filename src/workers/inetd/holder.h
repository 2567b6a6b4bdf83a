/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whether a session's program still has its connection open. We keep no copy of the descriptor, so
 * that the client sees the program's close: what is left is an entry of an epoll(7) instance, which
 * the kernel removes when the last copy is closed, and lists in /proc/self/fdinfo/FD. */
#pragma once

#include <stdbool.h>

/* Gives up our copy of the socket, whose number then stands for /dev/null; the caller still owns
 * it. Returns a descriptor that is readable once the connection is dead both ways, or a negative
 * errno with the copy as it was. */
int holder_start(int socket, int null_fd);

/* True while a process has the connection open. */
bool holder_has_connection(int fd);
