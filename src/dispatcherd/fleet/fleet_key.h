/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The names of keys in the store of a fleet. All have the same hash tag, the part in braces, so
 * that they are in one slot of a cluster: one script can use several, by one connection. */
#pragma once

#include "access/throttle.h"
#include "dispatcherd/fleet/open_counts.h"

#include <stdbool.h>
#include <stdint.h>

/* The longest name with its NUL. */
#define FLEET_KEY_MAX 96

/* A throttle's key in one window, by its number: windows of that length since 1970, by the store's
 * clock. Has one field for each host. */
void fleet_key_format(const struct throttle_key *key, uint64_t window, char text[FLEET_KEY_MAX]);

/* Reads such a name. Returns false if it is none. */
bool fleet_key_parse(const char *text, struct throttle_key *ret, uint64_t *ret_window);

/* The list of keys that have reached their rate in a window. */
void fleet_key_format_full(uint64_t window, char text[FLEET_KEY_MAX]);

/* The key of an address and a service: how many connections each host has open. */
void fleet_key_format_open(const struct open_key *key, char text[FLEET_KEY_MAX]);
bool fleet_key_parse_open(const char *text, struct open_key *ret);

/* When it was told last of each key that it has reached its limit, and with how many connections;
 * 0: it no longer has. */
#define FLEET_KEY_TOLD   "dispatcherd:{fleet}:told"
#define FLEET_KEY_TOTALS "dispatcherd:{fleet}:totals"

/* What is known of the store as a whole. */
#define FLEET_KEY_STATE "dispatcherd:{fleet}:state"
