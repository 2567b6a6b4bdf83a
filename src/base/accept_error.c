/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/accept_error.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

static bool is_listening(int fd)
{
    int is_on = 0, saved = errno;
    socklen_t length = sizeof(is_on);
    bool is_known = getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_on, &length) == 0;

    errno = saved;
    return is_known && is_on;
}

enum accept_error accept_error_classify(int fd, int error)
{
    switch (error) {
    case EAGAIN:
        return ACCEPT_ERROR_EMPTY;
    /* Linux reports pending network errors of the new connection by accept(). Each takes one
     * connection out of the queue. */
    case ECONNABORTED:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EINTR:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EPROTO:
        return ACCEPT_ERROR_NEXT;
    /* EMFILE, ENFILE, ENOBUFS and ENOMEM are shortages; EPERM and EACCES come from a security
     * module. All others are treated alike. Whether the socket is lost is asked of the socket
     * itself, since a filter of system calls may return any error. */
    default:
        return is_listening(fd) ? ACCEPT_ERROR_PAUSE : ACCEPT_ERROR_LOST;
    }
}
