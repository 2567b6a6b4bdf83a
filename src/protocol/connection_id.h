/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How the identifier of a connection is written, wherever it is: in the journal, in JSON, by the
 * workers' library. */
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
