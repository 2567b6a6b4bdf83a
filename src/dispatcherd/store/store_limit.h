/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How many descriptors the service manager keeps for the daemon: FileDescriptorStoreMax=. */
#pragma once

#include <stddef.h>

/* Of the unit that this process runs in. Returns 0 if that cannot be found out, or is none. */
size_t store_limit_of_this_unit(void);

/* Of dispatcherd.service, for somebody who is not the daemon. The same. */
size_t store_limit_of_daemon(void);
