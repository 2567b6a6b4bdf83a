/* The last decisions of access control, for whoever asks why a client came in, or did not.
 *
 * A fixed number is kept; the next one takes the place of the oldest. To note one takes constant
 * time and allocates nothing. All texts are copies, cut to their room, so that what they were taken
 * from, the tables of a mapping file above all, may go. */
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
#define DECISION_FILE_MAX    256
#define DECISION_TEXT_MAX    200

struct access_decision {
    uint64_t at; /* CLOCK_MONOTONIC, in microseconds */
    uint64_t connection_id;
    struct address client;
    struct address local;
    const char *reason; /* why it was rejected, static; NULL: it was accepted */
    uint32_t line;      /* of the entry that decided; 0: none did */
    char service[DECISION_SERVICE_MAX];
    char file[DECISION_FILE_MAX];    /* of the entry */
    char pattern[DECISION_TEXT_MAX]; /* of the entry, as written */
    char zone[DECISION_TEXT_MAX];    /* the DNS list that decided; "": none */
    char detail[DECISION_TEXT_MAX];  /* what rejected it, where neither of both did */
    char text[DECISION_TEXT_MAX];    /* for the client, lines with a blank between them */
};

/* A decision as it is noted. Texts are borrowed; NULL: there is none. */
struct access_decision_facts {
    uint64_t at;
    uint64_t connection_id;
    const struct address *client;
    const struct address *local;
    const char *service;
    const char *reason; /* static */
    const char *file;
    uint32_t line;
    const char *pattern;
    const char *zone;
    const char *detail;
    const char *text; /* n_text bytes, with its line ends */
    size_t n_text;
};

struct decisions;

/* Makes a ring for n_max decisions, at least 1. The pages are taken from the system when they are
 * first used. Returns 0 with *ret, which the caller frees; -EINVAL; or -ENOMEM. */
int decisions_new(uint32_t n_max, struct decisions **ret);

/* NULL does nothing. */
void decisions_free(struct decisions *decisions);

void decisions_note(struct decisions *decisions, const struct access_decision_facts *facts);

/* The newest decision about the client, whatever its port, that is older than the `previous` one of
 * this function; the newest of all after NULL. `service`: of that service alone, without regard to
 * case; NULL: of any. Returns NULL where there is none (any more). It is good until the next
 * decisions_note(). */
const struct access_decision *decisions_next(const struct decisions *decisions,
                                             const struct address *client, const char *service,
                                             const struct access_decision *previous);

/* Decisions that are kept. */
uint32_t decisions_n(const struct decisions *decisions);
