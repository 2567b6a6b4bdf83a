/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/trace_lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The longest string, after the place and the pattern of an entry. */
#define LINE_MAX_BYTES (MAPPING_STRING_MAX + 1024)

char *trace_printable(char *text)
{
    for (char *c = text; *c; c++)
        if ((*c < ' ' && *c != '\t' && *c != '\n') || *c > '~')
            *c = '?';
    return text;
}

void trace_lines_add(struct trace_lines *trace, size_t depth, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    size_t indent = 2 * depth;
    va_list arguments;

    if (trace->lines.n_items >= trace->n_max)
        return;
    memset(line, ' ', indent);
    va_start(arguments, format);
    vsnprintf(line + indent, sizeof(line) - indent, format, arguments);
    va_end(arguments);
    if (trace->lines.n_items + 1 == trace->n_max)
        strcpy(line, "...");
    if (str_list_append(&trace->lines, trace_printable(line)) < 0)
        trace->is_out_of_memory = true;
}

void trace_lines_add_event(struct trace_lines *trace, const struct mapping_trace *event)
{
    if (event->file)
        trace_lines_add(trace, event->depth, "%s:%u: %s: %s", event->file, event->line,
                        event->pattern, event->text);
    else
        trace_lines_add(trace, event->depth, "%s", event->text);
}

void trace_lines_clear(struct trace_lines *trace)
{
    str_list_clear(&trace->lines);
    trace->is_out_of_memory = false;
}
