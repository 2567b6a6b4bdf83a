/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Lines of a text file of the administrator's: joins continued ones, leaves out comments, and puts
 * the lines of included files in place. Both of our files are read by it, dispatcher.cnf(5) and
 * dispatcher-mappings(5); what differs between them is in `struct reader_rules`. What a line says
 * is not its business.
 *
 * Blanks are the space and the tab. Carriage returns before the end of a line, or of the file, are
 * part of that end; any other is a character that nobody sees, and gets a warning. A NUL byte is an
 * error, were it in a comment. */
#pragma once

#include "base/str.h"
#include "files/place.h"
#include "files/places.h"
#include "files/problem.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Includes inside includes, as in the mapping file of the original. */
#define INCLUDE_DEPTH_MAX 3

struct reader_rules {
    size_t line_max;      /* bytes of a line, its continuations with it; comments have no limit */
    const char *too_long; /* the error of one that has more */
    const char *comment_marks;
    const char *include_example; /* for the error of one without a name */
    /* Columns count: comments and includes begin in the first one, and blanks at a line's end are
     * part of it. */
    bool has_columns;
    bool may_be_missing;           /* the first file */
    enum problem_severity cut_off; /* of a file that ends after a backslash */
    const char *cut_off_text;      /* the same in words */
    /* Whether the line that a backslash joins to the one before, with its blanks, looks as if it
     * were not meant to be; NULL: none does. */
    bool (*is_joined_by_mistake)(const char *text, size_t length);
};

enum line_kind {
    LINE_TEXT,
    LINE_BLANK,
    LINE_BROKEN, /* had an error, which has been added: what it would have said is not known */
};

struct line {
    enum line_kind kind;
    const char *file; /* one of reader.files */
    unsigned number;  /* if it starts */
    bool is_indented;
    char *text; /* without the blanks at its start; may be written to; until the next call */
    size_t length;
};

/* One open file. */
struct reader_source {
    FILE *stream;
    const char *path; /* one of reader.files */
    dev_t device;     /* tells the file, whatever path leads to it */
    ino_t inode;
    unsigned line; /* the number of the line read last */
};

struct reader {
    const struct reader_rules *rules;
    const struct config_places *places;
    struct problem_list *problems;
    struct str_list *files; /* every file read; strings are only added, and stay if they are */
    struct reader_source sources[INCLUDE_DEPTH_MAX + 1];
    size_t n_sources;
    char *buffer; /* of rules->line_max + 1 */
    size_t length;
    bool goes_on;     /* the line read last ends in a backslash */
    bool is_comment;  /* the line in the buffer */
    bool has_nul;     /* the line in the buffer had one */
    bool is_too_long; /* the line in the buffer lost its end */
    bool has_text;    /* some line of any file, were it a comment, is not blank */
    size_t n_includes;
    size_t n_bytes; /* of all files together */
};

/* Starts with the file `path`; everything handed over stays the caller's and must outlive the
 * reader. Returns 0; -ENOENT if it is missing and may be; -EINVAL after it added an error; or
 * -ENOMEM. Call reader_close() in any case. */
int reader_open(struct reader *reader, const struct reader_rules *rules, const char *path,
                const struct config_places *places, struct problem_list *problems,
                struct str_list *files);

/* Returns 1 with the next line, 0 at the end, or -ENOMEM. */
int reader_next(struct reader *reader, struct line *ret);

void reader_close(struct reader *reader);
