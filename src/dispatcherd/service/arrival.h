/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Takes in a connection that was just accepted: whether it may stay is for checks/ to find out,
 * before any worker is troubled. */
#pragma once

#include "dispatcherd/service/listener.h"

/* Takes over *fd (-1 afterwards), a connection from `peer` to the listener, and makes it a
 * connection of the service that is being checked, or waits for a worker. Returns 1 if that
 * was done, or -ENOMEM. */
int arrival_take_in(struct listener *listener, int *fd, struct address peer);
