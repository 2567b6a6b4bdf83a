/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control/socket.h"

#include "base/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* How many clients may wait in the queue while others are accepted. */
#define BACKLOG 32

static int open_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return fd < 0 ? -errno : fd;
}

/* True if the socket exists, and nobody listens on it. */
static bool is_left_over(const struct sockaddr_un *address, int *ret_error)
{
    struct stat st;

    if (lstat(address->sun_path, &st) < 0) {
        *ret_error = -errno;
        return false;
    }
    if (!S_ISSOCK(st.st_mode)) {
        *ret_error = -EEXIST;
        return false;
    }
    _cleanup_fd_ int fd = open_socket();
    *ret_error = fd < 0 ? fd : -EADDRINUSE;
    return fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
           errno == ECONNREFUSED;
}

static int bind_path(int fd, const struct sockaddr_un *address)
{
    int error;

    if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
        return 0;
    if (errno != EADDRINUSE)
        return -errno;
    if (!is_left_over(address, &error))
        return error;
    if (unlink(address->sun_path) < 0 ||
        bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
        return -errno;
    return 0;
}

int control_socket_open(struct control_socket *ret, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    _cleanup_fd_ int fd = open_socket();
    if (fd < 0)
        return fd;
    (void)fd_refuse_rights(fd);
    int r = bind_path(fd, &address);
    if (r < 0)
        return r;
    /* Permission is decided for each call, and must not depend on the umask. */
    if (chmod(path, 0666) < 0 || lstat(path, &st) < 0 || listen(fd, BACKLOG) < 0) {
        r = -errno;
        unlink(path);
        return r;
    }
    char *copy = strdup(path);
    if (!copy) {
        unlink(path);
        return -ENOMEM;
    }
    *ret = (struct control_socket){
        .fd = take_fd(&fd), .path = copy, .device = st.st_dev, .inode = st.st_ino};
    return 0;
}

void control_socket_close(struct control_socket *socket)
{
    struct stat st;

    if (socket->path && lstat(socket->path, &st) == 0 && st.st_dev == socket->device &&
        st.st_ino == socket->inode)
        (void)unlink(socket->path);
    socket->fd = fd_close(socket->fd);
    free(socket->path);
    socket->path = NULL;
}
