/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Memory for jansson, which does not stand it that an allocation fails: its parser loses a byte of
 * what it reads, or writes past the end of a string, and goes on.
 *
 * So if malloc() has nothing, a reserve of our own steps in for as long as the message at hand
 * is being worked on, and the caller learns afterwards that the result is to be thrown away. The
 * reserve is memory that is never touched until then. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* From now on jansson allocates here, and here by `allocate_first`, which is malloc() but for a
 * test. To be called before jansson is used at all. */
void varlink_memory_start(void *(*allocate_first)(size_t size));

/* True if malloc() has failed jansson since the last call of this function. */
bool varlink_memory_was_short(void);
