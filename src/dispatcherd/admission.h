/* Decides whether an accepted connection may come in, before any worker is troubled. */
#pragma once

#include "dispatcherd/listener.h"

/* Takes over *fd (-1 afterwards), a connection from `peer` to the listener, and makes it a
 * connection of the service that is being checked, or waits for a worker. Returns 1 where that
 * was done, or -ENOMEM. */
int admission_admit(struct listener *listener, int *fd, struct address peer);
