/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The steps of a run as lines for people, each indented by how deep its table was called. */
#pragma once

#include "base/macro.h"
#include "base/str.h"
#include "mapping/run.h"

#include <stdbool.h>
#include <stddef.h>

/* Lines of one run. It makes at most some for each of its elements; only loops make so many. */
#define TRACE_LINES_MAX 1000

struct trace_lines {
    struct str_list lines;
    size_t n_max; /* the last one that fits says "..." instead; 0: none is wanted */
    bool is_out_of_memory;
};

/* Adds a line; what a terminal or JSON cannot take becomes "?". */
void trace_lines_add(struct trace_lines *trace, size_t depth, const char *format, ...)
    _printf_(3, 4);

/* Adds what mapping_hooks.trace was told. */
void trace_lines_add_event(struct trace_lines *trace, const struct mapping_trace *event);

/* Frees the lines; room for as many as before is there again. */
void trace_lines_clear(struct trace_lines *trace);

/* Replaces all but printable ASCII, tabulators and line feeds by "?". Returns `text`. */
char *trace_printable(char *text);
