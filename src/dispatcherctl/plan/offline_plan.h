/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What Plan of the control socket replies, made from the files alone: for when no daemon runs. */
#pragma once

#include <jansson.h>

/* Reads both files as the daemon does when it starts. Returns 0 with *ret, the caller's, or
 * -ENOMEM. */
int offline_plan(const char *config_file, const char *mapping_file, json_t **ret);
