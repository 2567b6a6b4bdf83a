/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The routines that templates call by $[image,routine,argument] (dispatcher-mappings(5)). They are
 * built in: the image's name stands for no file, and nothing is loaded. The engine does not run
 * them; it says what has to be asked. */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum callout_routine {
    CALLOUT_DNS_LIST, /* is the address on the list? (dispatcher-mappings(5)) */
    CALLOUT_THROTTLE, /* are there more than `limit` connections a minute? (dispatcher-mappings(5))
                       */
    CALLOUT_THROTTLE_PENALTY, /* the same, with rejected attempts counting */
    CALLOUT_CONCURRENT,       /* are there more than `limit` connections now? */
};

/* As in the journal: "dns_verify_domain_port". */
const char *callout_routine_to_string(enum callout_routine routine);

#define CALLOUT_ZONE_MAX 253

/* A routine with its arguments. */
struct callout {
    enum callout_routine routine;
    struct address address;          /* the port is 0 */
    uint32_t limit;                  /* not of CALLOUT_DNS_LIST */
    uint32_t window_sec;             /* in which `limit` may come; 0: a minute */
    char zone[CALLOUT_ZONE_MAX + 1]; /* of CALLOUT_DNS_LIST; without a dot at its end */
    const char *text;                /* for CALLOUT_DNS_LIST, if the list has no text; or NULL */
};

/* Finds the routine by the names in the file, without regard to case; only the base name of the
 * image counts. With *ret_is_metermaid the argument is one for metermaid_read(). Returns NULL, or
 * what is wrong. */
const char *callout_find(const char *image, size_t image_length, const char *routine,
                         size_t routine_length, enum callout_routine *ret, bool *ret_is_metermaid);

/* Reads an expanded argument. `text` of the result points into it. Returns NULL, or what is
 * wrong. */
const char *callout_read(enum callout_routine routine, const char *argument, struct callout *ret);

/* Stands for text that is not yet known, in callout_check(). */
#define CALLOUT_UNKNOWN '\x02'

/* Finds what will be wrong with an argument some parts of which are CALLOUT_UNKNOWN. Returns NULL,
 * or what is wrong. */
const char *callout_check(enum callout_routine routine, const char *argument);
