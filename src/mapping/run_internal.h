/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Shared by the files of a run: run.c goes through tables and entries, run_template.c through the
 * elements of a template, run_trace.c tells of both. */
#pragma once

#include "mapping/run.h"

static inline struct mapping_level *run_level(struct mapping_run *run)
{
    return &run->levels[run->depth];
}

/* Adds text to what is being made. Returns false if that would be too long. */
bool run_append(struct mapping_run *run, const char *text, size_t length);

/* The same for text that is no part of the template itself. */
bool run_append_substitution(struct mapping_run *run, const char *text, size_t length);

/* Makes the text from `start` on a substitution, whatever it was: a tilde in it parts no lines
 * (dispatcher-mappings(5)). */
void run_make_substitution(struct mapping_run *run, size_t start);

/* Works through the next element of the template. */
void run_element(struct mapping_run *run);

/* The entry succeeds or fails as a whole; the run goes on behind it. */
void run_succeed(struct mapping_run *run);
void run_fail(struct mapping_run *run);

/* Applies the table to the text from `start` on. Returns false if that cannot be. */
bool run_call_table(struct mapping_run *run, const struct mapping_table *table, uint16_t start);

/* The call whose argument began at `start` ended; the text from there on is what it inserts. */
void run_end_call(struct mapping_run *run, bool succeeded, uint16_t start);

/* Tracing: only while run_is_traced(). */
static inline bool run_is_traced(const struct mapping_run *run)
{
    return run->hooks && run->hooks->trace;
}

void run_trace_table(const struct mapping_run *run);
void run_trace_match(const struct mapping_run *run);
void run_trace_result(const struct mapping_run *run);
void run_trace_failure(const struct mapping_run *run);
void run_trace_test(const struct mapping_run *run, const struct template_element *element,
                    bool succeeded);
/* A call with its argument, which ends at the end of the text; `fault` is NULL or why it is not
 * made. */
void run_trace_call(const struct mapping_run *run, const struct template_element *element,
                    uint16_t start, const char *fault);
void run_trace_call_end(const struct mapping_run *run, bool succeeded, uint16_t start);
