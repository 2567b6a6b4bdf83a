/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the delivered workers say about the PARAMETERs of their services, for --check: each program
 * knows its own, so it is run to look at them ("IMAGE --check-parameters FACT… -- PARAMETER…",
 * workers/common/parameters.h). */
#pragma once

#include "config/options.h"
#include "files/problem.h"

/* Adds what is wrong, each at its line of the file. Starts programs and waits for them, for 10 s
 * each at the most: not for a daemon that serves. A program that is not there, or that cannot say,
 * adds nothing. */
void parameter_check(const struct config *config, struct problem_list *problems);
