/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The control socket as a file: made, found to be left over, removed. */
#pragma once

#include <sys/types.h>

struct control_socket {
    int fd;     /* owned; listens */
    char *path; /* owned */
    dev_t device;
    ino_t inode;
};

/* Makes a socket that everybody may connect to, and listens. Returns 0 or a negative errno:
 * -EADDRINUSE if somebody answers at the path, -EEXIST if it is something else. */
int control_socket_open(struct control_socket *socket, const char *path);

/* Closes it, and removes the file unless it is another's by now. */
void control_socket_close(struct control_socket *socket);
