/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The last decisions of access control, so that an administrator can find out why a client was
 * admitted or rejected. A fixed number is kept; a new one replaces the oldest. Noting one takes
 * constant time and allocates nothing. All texts are copies, cut to their room, so that the mapping
 * tables and other data that they come from may be freed.
 *
 * The log is one block without pointers. In memory that outlives its process, a successor goes on
 * with it (decisions_format(), decisions_adopt()). */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decisions that the daemon keeps. They take 4 MiB when all places are in use, and next to nothing
 * before. */
#define DECISIONS_MAX 4096

/* Bytes of each text with its NUL. A file's name is cut at its front, since its end says more. */
#define DECISION_SERVICE_MAX 33
#define DECISION_REASON_MAX  24
#define DECISION_FILE_MAX    256
#define DECISION_TEXT_MAX    200

struct access_decision {
    uint64_t at; /* CLOCK_MONOTONIC, in microseconds; 0: the place holds no complete decision */
    uint64_t connection_id;
    struct address client;
    struct address local;
    uint32_t line;                    /* of the entry that decided; 0: none did */
    char reason[DECISION_REASON_MAX]; /* why it was rejected; "": it was accepted */
    char service[DECISION_SERVICE_MAX];
    char file[DECISION_FILE_MAX];    /* of the entry */
    char pattern[DECISION_TEXT_MAX]; /* of the entry, as written */
    char zone[DECISION_TEXT_MAX];    /* the DNS list that decided; "": none */
    char detail[DECISION_TEXT_MAX];  /* what else rejected it; "" if an entry or a DNS list did */
    char text[DECISION_TEXT_MAX];    /* the reply to the client, its lines joined by blanks */
};

/* A decision to be noted. The texts are borrowed; NULL: there is none. */
struct access_decision_facts {
    uint64_t at; /* above 0 */
    uint64_t connection_id;
    const struct address *client;
    const struct address *local;
    const char *service;
    const char *reason; /* NULL: it was accepted */
    const char *file;
    uint32_t line;
    const char *pattern;
    const char *zone;
    const char *detail;
    const char *text; /* n_text bytes, with line ends */
    size_t n_text;
};

struct decisions;

/* Makes a log of n_max decisions, at least 1, that begins at `now` (CLOCK_MONOTONIC, in
 * microseconds). Its pages are taken from the system when they are first used. Returns 0 with *ret,
 * which the caller frees; -EINVAL; or -ENOMEM. */
int decisions_new(uint32_t n_max, uint64_t now, struct decisions **ret);

/* Bytes that a log of n_max decisions takes. */
size_t decisions_size(uint32_t n_max);

/* Makes an empty log in a mapping of decisions_size(n_max) bytes that are all zero.
 * decisions_free() unmaps it. */
struct decisions *decisions_format(void *memory, uint32_t n_max, uint64_t now);

/* Goes on with the log that another process left in a mapping of `size` bytes, however that process
 * ended. The bytes are not trusted: no access leaves the mapping. Returns NULL if they are no log
 * of this layout; the mapping is then still the caller's. */
struct decisions *decisions_adopt(void *memory, size_t size, uint64_t now);

/* Frees or unmaps the log. NULL does nothing. */
void decisions_free(struct decisions *decisions);

void decisions_note(struct decisions *decisions, const struct access_decision_facts *facts);

/* Goes through the decisions from the newest to the oldest: returns the one before `previous`, or
 * the newest if that is NULL, and NULL after the last. Only decisions about `client` (NULL: any;
 * its port does not matter) and of `service` (NULL: any; without regard to case) are returned. The
 * result is valid until the next decisions_note(). */
const struct access_decision *decisions_next(const struct decisions *decisions,
                                             const struct address *client, const char *service,
                                             const struct access_decision *previous);

/* How many decisions are kept. */
uint32_t decisions_n(const struct decisions *decisions);

/* The time (CLOCK_MONOTONIC, in microseconds) since which all decisions are kept. */
uint64_t decisions_since(const struct decisions *decisions);
