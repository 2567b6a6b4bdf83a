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

/* Bytes of a string, and of an entry's result; an entry that would make more fails
 * (dispatcher-mappings(5)). */
#define MAPPING_STRING_MAX 1024

/* Template elements of a run, callouts included (dispatcher-mappings(5)), and steps of its
 * comparisons: some tens of milliseconds. */
#define MAPPING_ELEMENTS_MAX 10000
#define MAPPING_STEPS_MAX    20000000

/* All strings of a run: those of all tables on the way down share them. */
#define MAPPING_TEXT_MAX (8 * MAPPING_STRING_MAX)

/* Text that a callout's answer may bring (dispatcher-mappings(5)). */
#define MAPPING_ANSWER_MAX 200

/* Something that happened, for whoever wants to see how a result came about. */
struct mapping_trace {
    unsigned depth;    /* 0: the table that was asked for */
    const char *table; /* its name */
    const char *file;  /* of the entry; NULL: it is about the table */
    unsigned line;
    const char *pattern; /* of the entry, as written; NULL likewise */
    const char *text;    /* what happened, as "$|INTERNAL_IP;192.0.2.1| succeeded"; for this call */
};

/* What the run may use. The same for any number of runs. */
struct mapping_hooks {
    /* A number below CHANCE_WHOLE for $?x?; NULL: 0, so that all but $?0? goes on. */
    uint32_t (*chance)(void *data);
    /* Called with all that happens; NULL: nothing is formatted. */
    void (*trace)(void *data, const struct mapping_trace *trace);
    void *data;
};

enum mapping_status {
    MAPPING_RUNNING, /* never returned */
    MAPPING_DONE,
    MAPPING_CALLOUT, /* run->callout is to be answered by mapping_run_resume() */
    MAPPING_LIMIT,   /* used up what a run may use: nothing can be said of the string */
};

enum mapping_phase {
    MAPPING_PHASE_MATCH,    /* looks for the next entry whose pattern fits */
    MAPPING_PHASE_TEMPLATE, /* works through its template */
};

/* A table that is applied. Positions are in the run's text; each table's string, and what its entry
 * has made so far, stand behind those of its caller. */
struct mapping_level {
    const struct mapping_table *table;
    const struct mapping_entry *decided; /* the last entry that succeeded; NULL: none */
    enum mapping_phase phase;
    uint32_t entry;     /* to be compared next, or the one that is worked through */
    uint32_t flags;     /* of entries that succeeded */
    uint32_t new_flags; /* of the entry */
    uint16_t element;   /* of its template: the next one */
    uint16_t string_at;
    uint16_t string_length;
    uint16_t old_length; /* of the string before the entry */
    uint16_t out_at;     /* where the entry's result begins; it ends at run->top */
    uint16_t arguments[TEMPLATE_ARGUMENTS_MAX]; /* where those that are being made begin */
    uint8_t n_arguments;
    uint8_t n_loops; /* passes begun with a string that is no shorter */
    char control;    /* the control letter met last in the entry, 0: none */
    bool wants_pass; /* $L: once more from the top */
    bool had_pass;   /* that was done */
    enum letter_case letter_case;
    struct pattern_field fields[PATTERN_FIELDS_MAX];
};

struct mapping_run {
    const struct mapping_set *set; /* referenced by whoever started the run */
    const struct mapping_hooks *hooks;
    uint32_t input_flags;
    enum mapping_status status;
    uint32_t n_elements;
    uint64_t n_steps;
    const struct mapping_entry *too_hard; /* a pattern of which the comparison was given up */
    struct callout callout;               /* of MAPPING_CALLOUT */
    size_t depth;                         /* levels[depth] is at work */
    uint16_t top;                         /* the end of all text */
    struct mapping_level levels[MAPPING_DEPTH_MAX + 1];
    bool has_input; /* `input` is the string of the table at work */
    struct pattern_input input;
    char text[MAPPING_TEXT_MAX + 1];
};

/* Begins to apply the table of that name to the probe, of which control characters become "?".
 * `input_flags` are FLAG_OF() the letters that are set. Without such a table, or with a probe of
 * more than MAPPING_STRING_MAX bytes, the run is done and has no match. `hooks` may be NULL; it and
 * the set must outlive the run. */
void mapping_run_start(struct mapping_run *run, const struct mapping_set *set, const char *table,
                       const char *probe, uint32_t input_flags, const struct mapping_hooks *hooks);

/* Goes on as far as it can. Returns any status but MAPPING_RUNNING; once it is DONE or LIMIT, the
 * same again. Must not be called in MAPPING_CALLOUT. */
enum mapping_status mapping_run_step(struct mapping_run *run);

/* Answers the callout. It succeeds if the address is listed, or the limit exceeded; otherwise,
 * and if the answer cannot be had, it fails. A listed address is rejected with `text`, cleaned
 * and cut to MAPPING_ANSWER_MAX bytes; if that is NULL or empty, with the callout's own text.
 * `text` means nothing to other routines. */
void mapping_run_resume(struct mapping_run *run, bool succeeded, const char *text);

/* Of a run that is done: whether any entry matched and succeeded, and the last one that did (NULL:
 * none). */
bool mapping_run_matched(const struct mapping_run *run);
const struct mapping_entry *mapping_run_entry(const struct mapping_run *run);

/* The flags, and the string with CHARACTER_LINE_END and CHARACTER_OUTER_BAR in it; it is terminated
 * and stays the run's. */
uint32_t mapping_run_flags(const struct mapping_run *run);
const char *mapping_run_string(const struct mapping_run *run);
