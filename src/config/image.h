/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What is known of worker programs by their names. */
#pragma once

#include <stdbool.h>

/* The name of the program, without its folder; a part of `image`. */
const char *image_name(const char *image);

/* True if the program is one of ours that speaks no TLS: it closes each connection of a TLS_PORT.
 */
bool image_lacks_tls(const char *image);

/* True if the program, by its name, is one of ours that can say whether it understands its
 * PARAMETERs: "IMAGE --check-parameters" (workers/common/parameters.h). */
bool image_checks_parameters(const char *image);

/* True if the program, by its name, is ours that runs another one for each connection
 * (dispatcher-inetd(8)). */
bool image_runs_programs(const char *image);
