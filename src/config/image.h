/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What is known about worker programs from their names. */
#pragma once

#include <stdbool.h>

/* The program's name without its folder; a part of `image`. */
const char *image_name(const char *image);

/* True if it is the name of one of our programs, which check their PARAMETERs when called as "IMAGE
 * --check-parameters" (workers/common/parameters.h). */
bool image_checks_parameters(const char *image);

/* True if it is the name of our program that runs another one for each connection
 * (dispatcher-inetd(8)). */
bool image_runs_programs(const char *image);
