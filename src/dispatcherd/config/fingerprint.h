/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Finds out whether a worker was started with what is configured and installed now. */
#pragma once

#include "config/options.h"

/* A number for all that a worker of the service is started with: IMAGE and its file, PARAMETER,
 * STACKSIZE, LOGFILE, MAX_CONNS, and the units that make its sandbox, if there are any. It differs
 * if any of these differs. */
uint64_t fingerprint_of(const struct service_options *options);

/* The number as it will be when the worker's unit has the text `unit`. */
uint64_t fingerprint_planned(const struct service_options *options, const char *unit);
