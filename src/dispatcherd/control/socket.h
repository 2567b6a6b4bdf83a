/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The file of the control socket: makes it, replaces one that is left over, and removes it. */
#pragma once

#include <sys/types.h>

struct control_socket {
    int fd;     /* owned; listens */
    char *path; /* owned */
    dev_t device;
    ino_t inode;
};

/* Makes a socket that everybody may connect to, and listens on it. Returns 0 or a negative errno:
 * -EADDRINUSE if a process answers on it, -EEXIST if the path is something else. */
int control_socket_open(struct control_socket *socket, const char *path);

/* Closes it, and removes the file unless another process has replaced it. */
void control_socket_close(struct control_socket *socket);
