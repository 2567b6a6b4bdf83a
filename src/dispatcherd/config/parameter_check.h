/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Checks the PARAMETERs of services whose worker is one of ours, for --check: each program knows
 * its own parameters, and is run to check them ("IMAGE --check-parameters FACT… -- PARAMETER…",
 * workers/common/parameters.h). */
#pragma once

#include "config/options.h"
#include "files/problem.h"

/* Adds what is wrong, each problem at its line of the file. Runs programs and waits for them, up to
 * 10 s each: not for a daemon that serves. A program that is missing, or that cannot check, adds
 * nothing. */
void parameter_check(const struct config *config, struct problem_list *problems);
