/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Takes in a connection that was just accepted. checks/ find out whether it is admitted, before it
 * gets to a worker. */
#pragma once

#include "dispatcherd/service/listener.h"

/* Takes over *fd (-1 afterwards), a connection from `peer` to the listener, and makes it a
 * connection of the service, which is checked or waits for a worker. Returns 1, or -ENOMEM. */
int arrival_take_in(struct listener *listener, int *fd, struct address peer);
