/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Writes the effective options in the form of dispatcher.cnf. */
#pragma once

#include "config/options.h"

#include <stdio.h>

/* Writes every option of the Dispatcher and of each service as NAME=value below a line
 * "! default" or "! FILE:LINE". Reading it back yields the same configuration. Returns 0 or a
 * negative errno of the stream. */
int config_print(const struct config *config, FILE *stream);
