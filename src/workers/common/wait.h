/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Waits for a client's socket: until a deadline, which stress may bring forward, or until the
 * worker stops. */
#pragma once

#include "workers/common/deadline.h"

struct wait_for {
    int fd;
    short events;  /* of poll(2) */
    int stop_fd;   /* ends the wait when it is readable; -1: none */
    int stress_fd; /* while it is readable, the earlier deadline counts; -1: none */
};

/* Returns 0 if the socket is ready for `events` or has failed; -ECANCELED if `stop_fd` is readable;
 * -ETIMEDOUT; or another negative errno. If stress begins during the wait, it goes on until the
 * earlier deadline; if it has ended by then, until the usual one. */
int wait_until_ready(const struct wait_for *wait, struct deadline deadline);
