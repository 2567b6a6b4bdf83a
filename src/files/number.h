/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Integers of dispatcher.cnf: decimal, or base and value as b%v (dispatcher.cnf(5)).
 *
 * strtol() is not used, since it accepts leading blanks, a second sign and, in base 16, a 0x; all
 * of these are errors in this file. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for the reason of number_parse(), with its NUL. */
#define NUMBER_REASON_MAX 160

/* Reads the whole of `text`. Returns 0 with *ret; or -EINVAL with `reason`, a phrase that says what
 * is wrong and what would be right. Numbers must fit in 64 bits; any further range is up to the
 * caller. */
int number_parse(const char *text, int64_t *ret, char reason[NUMBER_REASON_MAX]);

/* Reads the debug mask of the environment (dispatcherd-journal(7)): one to eight hexadecimal
 * digits, after an optional 0x or 16%; or -1. Returns 0 or -EINVAL. */
int number_parse_environment_mask(const char *text, uint32_t *ret);

/* True if `text` has at least `min_digits` digits, all of them 0 or 1: it probably is a number in
 * base 2. */
bool number_looks_binary(const char *text, size_t min_digits);
