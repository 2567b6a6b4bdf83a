/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Integers of dispatcher.cnf: decimal, or base and value as b%v (dispatcher.cnf(5)).
 *
 * No strtol() here: it takes leading blanks, a second sign and, in base 16, a 0x, all of which are
 * errors in this file. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for what number_parse() has to say, with its NUL. */
#define NUMBER_REASON_MAX 160

/* Reads the whole of `text`. Returns 0 with *ret; or -EINVAL with `reason` saying in a phrase what
 * is wrong and what would be right. Whether the number is in anybody's range is for the caller to
 * say; only what does not fit in 64 bits is refused here. */
int number_parse(const char *text, int64_t *ret, char reason[NUMBER_REASON_MAX]);

/* Reads the debug mask of the environment (dispatcherd-journal(7)): one to eight hexadecimal
 * digits, after an optional 0x or 16%; or -1. Returns 0 or -EINVAL. */
int number_parse_environment_mask(const char *text, uint32_t *ret);

/* True if `text` consists of the digits 0 and 1 alone, and of at least `min_digits`: most likely
 * meant in another base than ten. */
bool number_looks_binary(const char *text, size_t min_digits);
