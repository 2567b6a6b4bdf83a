/* Spans of time for people. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define DURATION_TEXT_MAX 32

/* In the two largest units that count: "60us", "350ms", "12s", "3min 5s", "2h 14min", "5d 3h".
 * Returns `text`. */
const char *duration_format(uint64_t usec, char text[DURATION_TEXT_MAX]);
