/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reads the lines of a text file that an administrator wrote: joins continued lines, leaves out
 * comments, and inserts the lines of included files. It reads dispatcher.cnf(5) and
 * dispatcher-mappings(5), whose differences are in `struct reader_rules`. It does not know what
 * lines mean.
 *
 * Blanks are the space and the tab. Carriage returns before the end of a line or of the file belong
 * to that end; any other is an invisible character, which causes a warning. A NUL byte is an error,
 * even in a comment. */
#pragma once

#include "base/str.h"
#include "files/paths.h"
#include "files/place.h"
#include "files/problem.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* How deep includes may be nested, as in the mapping file of the original. */
#define INCLUDE_DEPTH_MAX 3

struct reader_rules {
    size_t line_max;      /* bytes of a line with its continuations; comments have no limit */
    const char *too_long; /* the error about a longer one */
    const char *comment_marks;
    const char *include_example; /* for the error about an include without a name */
    /* Columns matter: comments and includes begin in the first one, and blanks at the end of a line
     * belong to it. */
    bool has_columns;
    bool may_be_missing;           /* the first file */
    enum problem_severity cut_off; /* for a file that ends after a backslash */
    const char *cut_off_text;      /* its text */
    /* Whether a continuation line, with its blanks, looks as if the backslash before it were a
     * mistake; NULL: none does. */
    bool (*is_joined_by_mistake)(const char *text, size_t length);
};

enum line_kind {
    LINE_TEXT,
    LINE_BLANK,
    LINE_BROKEN, /* had an error, which was added: the meaning of the line is unknown */
};

struct line {
    enum line_kind kind;
    const char *file; /* in reader.files */
    unsigned number;  /* where it starts */
    bool is_indented;
    char *text; /* without blanks at its start; may be changed; valid until the next call */
    size_t length;
};

/* One open file. */
struct reader_source {
    FILE *stream;
    const char *path; /* in reader.files */
    dev_t device;     /* these two identify the file, whatever its path */
    ino_t inode;
    unsigned line; /* number of the last line */
};

struct reader {
    const struct reader_rules *rules;
    const struct config_paths *paths;
    struct problem_list *problems;
    struct str_list *files; /* all files that were read; strings are only added, and never moved */
    struct reader_source sources[INCLUDE_DEPTH_MAX + 1];
    size_t n_sources;
    char *buffer; /* rules->line_max + 1 bytes */
    size_t length;
    bool goes_on;     /* the last line ends in a backslash */
    bool is_comment;  /* the line in the buffer is one */
    bool has_nul;     /* the line in the buffer has a NUL byte */
    bool is_too_long; /* the line in the buffer was cut */
    bool has_text;    /* a line of any file, perhaps a comment, is not blank */
    size_t n_includes;
    size_t n_bytes; /* of all files together */
};

/* Starts with the file `path`; all arguments stay the caller's, and must outlive the reader.
 * Returns 0; -ENOENT if the file is missing and may be; -EINVAL after an error was added; or
 * -ENOMEM. reader_close() must be called in any case. */
int reader_open(struct reader *reader, const struct reader_rules *rules, const char *path,
                const struct config_paths *paths, struct problem_list *problems,
                struct str_list *files);

/* Returns 1 with the next line, 0 at the end, or -ENOMEM. */
int reader_next(struct reader *reader, struct line *ret);

void reader_close(struct reader *reader);
