/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a session's program writes to standard error: cut into lines for the journal. A program may
 * write a gigabyte: each session has only so many lines, and all of them together have only so
 * many; the others are counted. */
#pragma once

#include "base/rate.h"

#include <dispatcher/worker.h>

#include <stdint.h>

/* Of one line; what is longer becomes several. The journal's text has 1536 bytes in the library. */
#define ERROR_LINE_MAX 1024

struct error_lines {
    dispatcher_connection *connection;
    struct rate rate;
    uint64_t n_left_out;
    size_t length;
    char line[ERROR_LINE_MAX + 1];
};

void error_lines_start(struct error_lines *lines, dispatcher_connection *connection);

/* Reads what is there, a pipe's contents at the most. Returns false at the end of the pipe. */
bool error_lines_read(struct error_lines *lines, int fd);

/* Writes a last line without its end, and how many were left out. */
void error_lines_end(struct error_lines *lines);
