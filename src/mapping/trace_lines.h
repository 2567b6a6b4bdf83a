/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The steps of a run as lines for people, indented by the depth of calls. */
#pragma once

#include "base/macro.h"
#include "base/str.h"
#include "mapping/run.h"

#include <stdbool.h>
#include <stddef.h>

/* The most lines of one run. There are a few for each of its elements; only loops make as many as
 * this. */
#define TRACE_LINES_MAX 1000

struct trace_lines {
    struct str_list lines;
    size_t n_max; /* the last line that fits is "..." instead; 0: no lines */
    bool is_out_of_memory;
};

/* Adds a line; bytes that a terminal or JSON cannot take become "?". */
void trace_lines_add(struct trace_lines *trace, size_t depth, const char *format, ...)
    _printf_(3, 4);

/* Adds a step; a mapping_hooks.trace function. */
void trace_lines_add_event(struct trace_lines *trace, const struct mapping_trace *event);

/* Frees the lines, and makes room for as many again. */
void trace_lines_clear(struct trace_lines *trace);

/* Replaces everything except printable ASCII, tabs and line feeds by "?". Returns `text`. */
char *trace_printable(char *text);
