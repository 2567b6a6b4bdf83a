/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Finds out whether a worker was started with what is configured and installed now. */
#pragma once

#include "config/options.h"

/* A number for all that a worker of the service is started with: IMAGE and its file, PARAMETER,
 * STACKSIZE, LOGFILE, MAX_CONNS, and the units that make its sandbox, if there are any. */
uint64_t fingerprint_of(const struct service_options *options);

/* Whether any of these differs. A unit that could not be found for one of both is taken for the
 * same: during a daemon-reload the generator's units are gone for a moment. */
bool fingerprint_differs(uint64_t one, uint64_t other);

/* The number of a worker that was started with `old`, which does not differ from `now`: whichever
 * knows the unit. */
uint64_t fingerprint_join(uint64_t old, uint64_t now);

/* The number as it will be when the worker's unit has the text `unit`. */
uint64_t fingerprint_planned(const struct service_options *options, const char *unit);
