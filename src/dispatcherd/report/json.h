/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Values as JSON for the control socket. Functions that return a value return a new reference, or
 * NULL when out of memory. */
#pragma once

#include "base/address.h"

#include <jansson.h>
#include <stdint.h>

/* Both clocks at the same moment, to convert times to real time. */
struct control_clock {
    uint64_t monotonic;
    uint64_t realtime;
};

struct control_clock control_clock_now(void);

/* Adds a member, and takes over the reference to its value. If that fails, or the value is NULL
 * since it could not be made, the object is freed and *object is NULL: so a chain of calls needs
 * one check at its end. */
void view_put(json_t **object, const char *name, json_t *value);

/* Does the same for an element of an array. */
void view_append(json_t **array, json_t *value);

/* A CLOCK_MONOTONIC time by both clocks; null for 0, which stands for "not yet". */
json_t *view_time(uint64_t at, const struct control_clock *clock);

/* JSON text of bytes that need not be UTF-8; if they are not, "?" replaces each byte that is not
 * ASCII. null for NULL. */
json_t *view_text(const char *text);

json_t *view_count(uint64_t count);
json_t *view_address(const struct address *address);

/* A count and its maximum. */
json_t *view_gauge(uint64_t value, uint64_t limit);
