/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Memory for jansson, which cannot handle a failed allocation: its parser loses a byte of its
 * input, or writes past the end of a string, and goes on.
 *
 * So if malloc() fails, a reserve is used until the present message is finished, and the caller
 * finds out afterwards that its result must be discarded. The reserve is memory that is not touched
 * before. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* From now on jansson allocates by this module, which tries `allocate_first` first: malloc(),
 * except in a test. To be called before jansson is used at all. */
void varlink_memory_start(void *(*allocate_first)(size_t size));

/* True if malloc() has failed for jansson since the last call of this function. */
bool varlink_memory_was_short(void);
