/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Tells whether a worker was started with what is wanted and installed now. */
#pragma once

#include "config/options.h"

/* A number for all that a worker of the service is started with: IMAGE and the file behind it,
 * PARAMETER, STACKSIZE, LOGFILE, MAX_CONNS, and the units that make its sandbox, if there are
 * such. It differs whenever one of them does. */
uint64_t fingerprint_of(const struct service_options *options);
