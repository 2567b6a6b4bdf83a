/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What to do when accept4(2) fails: every error of its manual page, and those that it does not know
 * yet. */
#pragma once

enum accept_error {
    ACCEPT_ERROR_EMPTY, /* nobody waits: listen on */
    ACCEPT_ERROR_NEXT,  /* of one connection that is gone by now: accept the next */
    ACCEPT_ERROR_PAUSE, /* lasts: try again later, or the caller would spin */
    ACCEPT_ERROR_LOST,  /* the socket does not listen any more, and never will again */
};

/* `fd` is the listening socket, `error` the positive errno of accept4(). Keeps errno. */
enum accept_error accept_error_classify(int fd, int error);
