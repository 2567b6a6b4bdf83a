/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What to do when accept4(2) fails: for every error of its manual page, and for unknown ones. */
#pragma once

enum accept_error {
    ACCEPT_ERROR_EMPTY, /* the queue is empty: wait for the next connection */
    ACCEPT_ERROR_NEXT,  /* the connection is gone: accept the next one */
    ACCEPT_ERROR_PAUSE, /* it persists: try again later, not at once, which would be a busy loop */
    ACCEPT_ERROR_LOST,  /* the socket does not listen any more, and never will */
};

/* `fd` is the listening socket, `error` the positive errno of accept4(). Keeps errno. */
enum accept_error accept_error_classify(int fd, int error);
