/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Follows this host's name, which DHCP or an administrator may change at any time: LOGFILE has it
 * as "%s", and workers greet with it. */
#pragma once

#include "dispatcherd/manager.h"

/* Reads the name into manager->host_name, and watches it from now on. After a change it is read
 * again, and all workers are replaced one after another, without losing a connection. Returns 0 or
 * a negative errno. If the kernel cannot watch it, the name stays as it is. */
int host_name_watch_start(struct manager *manager);

void host_name_watch_end(struct manager *manager);
