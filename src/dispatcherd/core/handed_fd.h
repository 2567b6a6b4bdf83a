/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The daemon's own copy of a connection that was handed to a worker, and what the worker may have
 * done with it: it shares the socket, and its options. */
#pragma once

#include "dispatcherd/core/service.h"

/* Closes the copy; `now` is CLOCK_MONOTONIC in microseconds.
 *
 * It is hardly ever looked at before: a close that waits is cut short after 5 ms. From then on the
 * service's sockets are looked at for a while, and once one is found that would make us wait, all
 * of them are closed by another process for ten minutes. */
void handed_fd_close(struct service *service, int fd, uint64_t now);
