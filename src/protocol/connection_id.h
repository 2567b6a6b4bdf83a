/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The text form of a connection's identifier, for the journal, for JSON, and for the workers'
 * library. */
#pragma once

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

/* Room for it, with its NUL. */
#define CONNECTION_ID_BYTES 17

/* Returns `text`. */
static inline const char *connection_id_format(uint64_t id, char text[CONNECTION_ID_BYTES])
{
    snprintf(text, CONNECTION_ID_BYTES, "%016" PRIx64, id);
    return text;
}
