/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Spans of time for people. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define DURATION_TEXT_MAX 32

/* Writes the two largest units that are not 0: "60us", "350ms", "12s", "3min 5s", "2h 14min", "5d
 * 3h". Returns `text`. */
const char *duration_format(uint64_t usec, char text[DURATION_TEXT_MAX]);

/* Reads what duration_format() writes, and forms like "1h30min"; a number alone is seconds. Returns
 * 0, or -EINVAL if it is invalid or longer than a hundred years. */
int duration_parse(const char *text, uint64_t *ret_usec);
