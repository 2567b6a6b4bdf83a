/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The last decisions of access control, for whoever asks why a client came in, or did not.
 *
 * A fixed number is kept; the next one takes the place of the oldest. To note one takes constant
 * time and allocates nothing. All texts are copies, cut to their room, so that what they were taken
 * from, the tables of a mapping file above all, may go.
 *
 * The log is one block without pointers: in memory that outlives its process, a successor goes on
 * with it (decisions_format(), decisions_adopt()). */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decisions of the daemon's ring. They take 4 MiB when all places are in use, and next to nothing
 * before. */
#define DECISIONS_MAX 4096

/* Bytes of each text with its NUL. A name of a file is cut at its front: its end tells more. */
#define DECISION_SERVICE_MAX 33
#define DECISION_REASON_MAX  24
#define DECISION_FILE_MAX    256
#define DECISION_TEXT_MAX    200

struct access_decision {
    uint64_t at; /* CLOCK_MONOTONIC, in microseconds; 0: it was not noted to its end */
    uint64_t connection_id;
    struct address client;
    struct address local;
    uint32_t line;                    /* of the entry that decided; 0: none did */
    char reason[DECISION_REASON_MAX]; /* why it was rejected; "": it was accepted */
    char service[DECISION_SERVICE_MAX];
    char file[DECISION_FILE_MAX];    /* of the entry */
    char pattern[DECISION_TEXT_MAX]; /* of the entry, as written */
    char zone[DECISION_TEXT_MAX];    /* the DNS list that decided; "": none */
    char detail[DECISION_TEXT_MAX];  /* what rejected it, if neither of both did */
    char text[DECISION_TEXT_MAX];    /* for the client, lines with a blank between them */
};

/* A decision as it is noted. Texts are borrowed; NULL: there is none. */
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
    const char *text; /* n_text bytes, with its line ends */
    size_t n_text;
};

struct decisions;

/* Makes a ring for n_max decisions, at least 1, that remembers from `now` (CLOCK_MONOTONIC, in
 * microseconds) on. The pages are taken from the system when they are first used. Returns 0 with
 * *ret, which the caller frees; -EINVAL; or -ENOMEM. */
int decisions_new(uint32_t n_max, uint64_t now, struct decisions **ret);

/* Bytes of a ring for n_max decisions. */
size_t decisions_size(uint32_t n_max);

/* Makes an empty ring in a mapping of decisions_size(n_max) bytes, which are all zero and which
 * decisions_free() unmaps. */
struct decisions *decisions_format(void *memory, uint32_t n_max, uint64_t now);

/* Goes on with the ring that another process left in a mapping of so many bytes, however that
 * process ended. Whatever the bytes are, what is read from the ring stays within it. Returns NULL
 * if they are no ring of this layout; the mapping is then still the caller's. */
struct decisions *decisions_adopt(void *memory, size_t size, uint64_t now);

/* Unmaps it. NULL does nothing. */
void decisions_free(struct decisions *decisions);

void decisions_note(struct decisions *decisions, const struct access_decision_facts *facts);

/* The newest decision about the client, whatever its port, that is older than the `previous` one of
 * this function; the newest of all after NULL. `service`: of that service alone, without regard to
 * case; NULL: of any. Returns NULL if there is none (any more). It is good until the next
 * decisions_note(). */
const struct access_decision *decisions_next(const struct decisions *decisions,
                                             const struct address *client, const char *service,
                                             const struct access_decision *previous);

/* Decisions that are kept. */
uint32_t decisions_n(const struct decisions *decisions);

/* The moment (CLOCK_MONOTONIC, in microseconds) since which no decision has been forgotten. */
uint64_t decisions_since(const struct decisions *decisions);
