/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Values as the JSON that goes out by the control socket. Each function that returns one returns a
 * new reference, or NULL when out of memory. */
#pragma once

#include "base/address.h"

#include <jansson.h>
#include <stdint.h>

/* Both clocks at one moment, to tell people times in real time. */
struct control_clock {
    uint64_t monotonic;
    uint64_t realtime;
};

struct control_clock control_clock_now(void);

/* Adds a member, whose value passes on to the object. If that fails, or the value is NULL
 * because it could not be made, the object is freed and *object is NULL: so a chain of these needs
 * one check at its end. */
void view_put(json_t **object, const char *name, json_t *value);

/* The same for an element of an array. */
void view_append(json_t **array, json_t *value);

/* Both readings of a moment of CLOCK_MONOTONIC; null for 0, which stands for "not yet". */
json_t *view_time(uint64_t at, const struct control_clock *clock);

/* Any bytes as JSON text; if they are no UTF-8, "?" stands for each that is not ASCII. null for
 * NULL. */
json_t *view_text(const char *text);

json_t *view_count(uint64_t count);
json_t *view_address(const struct address *address);

/* A count beside what it cannot exceed. */
json_t *view_gauge(uint64_t value, uint64_t limit);
