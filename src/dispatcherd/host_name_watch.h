/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Follows the name of the host, which DHCP or an administrator may change at any time: LOGFILE has
 * it as "%s", and workers greet with it. */
#pragma once

#include "dispatcherd/manager.h"

/* Reads the name into manager->host_name, and watches it from now on: at a change it is read again,
 * and every worker is replaced, one after another, with no connection lost. Returns 0 or a negative
 * errno; if the kernel cannot be asked for changes, the name of the start stays. */
int host_name_watch_start(struct manager *manager);

void host_name_watch_end(struct manager *manager);
