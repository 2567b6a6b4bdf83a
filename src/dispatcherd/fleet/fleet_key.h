/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The names of keys in the store of a fleet. All have the same hash tag, the part in braces, so
 * that they are in one slot of a cluster: one script can use several, by one connection. */
#pragma once

#include "access/throttle.h"

#include <stdbool.h>
#include <stdint.h>

/* The longest name with its NUL. */
#define FLEET_KEY_MAX 96

/* A throttle's key in one window, by its number: minutes since 1970, by the store's clock. Has one
 * field for each host. */
void fleet_key_format(const struct throttle_key *key, uint64_t window, char text[FLEET_KEY_MAX]);

/* Reads such a name. Returns false if it is none. */
bool fleet_key_parse(const char *text, struct throttle_key *ret, uint64_t *ret_window);

/* The list of keys that have reached their rate in a window. */
void fleet_key_format_full(uint64_t window, char text[FLEET_KEY_MAX]);

/* What is known of the store as a whole. */
#define FLEET_KEY_STATE "dispatcherd:{fleet}:state"
