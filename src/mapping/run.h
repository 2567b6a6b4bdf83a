/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Applies a table to a string (dispatcher-mappings(5)).
 *
 * A run is a value of fixed size: it allocates nothing, does no I/O, and takes bounded time. If
 * a template calls a routine, the run stops and says what is to be asked; it goes on when the
 * answer is there, at once or a second later:
 *
 *     mapping_run_start() → RUNNING ──step──▶ DONE
 *                            ▲   │
 *                     resume │   ├──step──▶ LIMIT
 *                            │   ▼
 *                           CALLOUT
 *
 * Text from outside, as of a DNS list, is never taken for a part of a template. */
#pragma once

#include "mapping/callout.h"
#include "mapping/set.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a string, and of an entry's result; an entry whose result would be longer fails
 * (dispatcher-mappings(5)). */
#define MAPPING_STRING_MAX 1024

/* The most template elements of a run, including callouts (dispatcher-mappings(5)), and the most
 * steps of its comparisons: some tens of milliseconds. */
#define MAPPING_ELEMENTS_MAX 10000
#define MAPPING_STEPS_MAX    20000000

/* Bytes for all strings of a run: the table in work and its callers share them. */
#define MAPPING_TEXT_MAX (8 * MAPPING_STRING_MAX)

/* Bytes of text that the answer of a callout may contribute (dispatcher-mappings(5)). */
#define MAPPING_ANSWER_MAX 200

/* A step of a run, for people who want to see how its result came about. */
struct mapping_trace {
    unsigned depth;    /* 0: the first table */
    const char *table; /* its name */
    const char *file;  /* of the entry; NULL: the step is about the table */
    unsigned line;
    const char *pattern; /* of the entry, as written; NULL likewise */
    const char
        *text; /* the step, as in "$|INTERNAL_IP;192.0.2.1| succeeded"; valid during this call */
};

/* Functions that runs use; they may be shared by any number of runs. */
struct mapping_hooks {
    /* Returns a number below CHANCE_WHOLE for $?x?; NULL: 0, so that all but $?0? succeed. */
    uint32_t (*chance)(void *data);
    /* Called for each step; NULL: steps are not even formatted. */
    void (*trace)(void *data, const struct mapping_trace *trace);
    void *data;
};

enum mapping_status {
    MAPPING_RUNNING, /* never returned */
    MAPPING_DONE,
    MAPPING_CALLOUT, /* run->callout must be answered by mapping_run_resume() */
    MAPPING_LIMIT,   /* the run has reached its limits: there is no result */
};

enum mapping_phase {
    MAPPING_PHASE_MATCH,    /* looking for the next entry whose pattern matches */
    MAPPING_PHASE_TEMPLATE, /* working on its template */
};

/* A table in work. Positions are in the run's text; each table's string, and what its entry has
 * made so far, come after those of its caller. */
struct mapping_level {
    const struct mapping_table *table;
    const struct mapping_entry *decided; /* the last entry that succeeded; NULL: none did */
    enum mapping_phase phase;
    uint32_t entry;     /* to be compared next, or in work */
    uint32_t flags;     /* of entries that succeeded */
    uint32_t new_flags; /* of the entry */
    uint16_t element;   /* the next one of its template */
    uint16_t string_at;
    uint16_t string_length;
    uint16_t old_length; /* of the string, before the entry */
    uint16_t out_at;     /* where the entry's result begins; it ends at run->top */
    uint16_t arguments[TEMPLATE_ARGUMENTS_MAX]; /* where the arguments under construction begin */
    uint8_t n_arguments;
    uint8_t n_loops; /* passes begun with a string that has not become shorter */
    char control;    /* the last control letter in the entry; 0: none */
    bool wants_pass; /* $L: once more from the start */
    bool had_pass;   /* there was such a pass */
    enum letter_case letter_case;
    struct pattern_field fields[PATTERN_FIELDS_MAX];
};

struct mapping_run {
    const struct mapping_set *set; /* the caller holds a reference */
    const struct mapping_hooks *hooks;
    uint32_t input_flags;
    enum mapping_status status;
    uint32_t n_elements;
    uint64_t n_steps;
    const struct mapping_entry *too_hard; /* a pattern whose comparison was given up */
    struct callout callout;               /* for MAPPING_CALLOUT */
    size_t depth;                         /* levels[depth] is in work */
    uint16_t top;                         /* the end of all text */
    struct mapping_level levels[MAPPING_DEPTH_MAX + 1];
    bool has_input; /* `input` is the string of the table in work */
    struct pattern_input input;
    char text[MAPPING_TEXT_MAX + 1];
};

/* Begins to apply the table of that name to the probe, in which control characters become "?".
 * `input_flags` has FLAG_OF() each letter that is set. Without such a table, or with a probe of
 * more than MAPPING_STRING_MAX bytes, the run is done and has no match. `hooks` may be NULL; it and
 * the set must outlive the run. */
void mapping_run_start(struct mapping_run *run, const struct mapping_set *set, const char *table,
                       const char *probe, uint32_t input_flags, const struct mapping_hooks *hooks);

/* Goes on as far as possible. Returns any status except MAPPING_RUNNING; after DONE or LIMIT always
 * the same. Must not be called while the status is MAPPING_CALLOUT. */
enum mapping_status mapping_run_step(struct mapping_run *run);

/* Answers the callout. It succeeds if the address is listed, or the limit exceeded; it fails
 * otherwise, and if there is no answer. A listed address is rejected with `text`, cleaned and cut
 * to MAPPING_ANSWER_MAX bytes; if that is NULL or empty, with the callout's own text. Other
 * routines ignore `text`. */
void mapping_run_resume(struct mapping_run *run, bool succeeded, const char *text);

/* For a run that is done: whether an entry matched and succeeded, and the last one that did (NULL:
 * none). */
bool mapping_run_matched(const struct mapping_run *run);
const struct mapping_entry *mapping_run_entry(const struct mapping_run *run);

/* The flags, and the string, which may have CHARACTER_LINE_END and CHARACTER_OUTER_BAR in it; it is
 * terminated and belongs to the run. */
uint32_t mapping_run_flags(const struct mapping_run *run);
const char *mapping_run_string(const struct mapping_run *run);
