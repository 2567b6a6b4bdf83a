/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Shared by the files of a run: run.c handles tables and entries, run_template.c the elements of a
 * template, run_trace.c traces both. */
#pragma once

#include "mapping/run.h"

static inline struct mapping_level *run_level(struct mapping_run *run)
{
    return &run->levels[run->depth];
}

/* Adds text to the result under construction. Returns false if that would be too long. */
bool run_append(struct mapping_run *run, const char *text, size_t length);

/* The same for text that does not come from the template itself. */
bool run_append_substitution(struct mapping_run *run, const char *text, size_t length);

/* Makes a substitution of the text from `start` on: a tilde in it is no line end
 * (dispatcher-mappings(5)). */
void run_make_substitution(struct mapping_run *run, size_t start);

/* Finds the next entry of the table that matches, or ends the table. */
void run_match_entry(struct mapping_run *run);

/* The entry succeeds or fails as a whole; the run goes on after it. */
void run_succeed(struct mapping_run *run);
void run_fail(struct mapping_run *run);

/* Applies the table to the text from `start` on. Returns false if that is impossible. */
bool run_call_table(struct mapping_run *run, const struct mapping_table *table, uint16_t start);

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
/* A call with its argument, which ends at the end of the text; `fault` is why it is not made, or
 * NULL. */
void run_trace_call(const struct mapping_run *run, const struct template_element *element,
                    uint16_t start, const char *fault);
void run_trace_call_end(const struct mapping_run *run, bool succeeded, uint16_t start);
