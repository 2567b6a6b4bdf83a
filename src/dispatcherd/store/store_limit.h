/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How many descriptors the service manager keeps for the daemon: FileDescriptorStoreMax=. */
#pragma once

#include <stddef.h>

/* For the unit of this process. Returns 0 if it is unknown, or there is none. */
size_t store_limit_of_this_unit(void);

/* For dispatcherd.service, when called by another process. Returns the same. */
size_t store_limit_of_daemon(void);
