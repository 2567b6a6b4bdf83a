/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reads the JSON of replies. A member that is missing or of another type reads as nothing: a daemon
 * of another version must not make the tool fail. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Members of an object. */
const char *reply_text(const json_t *object, const char *name); /* "" */
int64_t reply_number(const json_t *object, const char *name);   /* 0 */
bool reply_is_true(const json_t *object, const char *name);     /* false */
bool reply_is_set(const json_t *object, const char *name); /* whether it is there and not null */

/* The monotonic time of a Timestamp, in microseconds; 0 if there is none. */
uint64_t reply_moment(const json_t *object, const char *name);
