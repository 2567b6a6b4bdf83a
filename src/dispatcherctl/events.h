/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* dispatcherctl events: shows what happens, as it happens. */
#pragma once

#include "dispatcherctl/query/request.h"

#include <jansson.h>
#include <stdio.h>

/* Prints events until the daemon ends or the user interrupts. Returns the exit status. */
int events_run(const struct request *request);

/* One event as a line. */
void events_print(const json_t *event, FILE *stream);
