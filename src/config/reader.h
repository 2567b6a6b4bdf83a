/* Lines of dispatcher.cnf: joins continued ones, leaves out comments and blank ones, and puts the
 * lines of included files in place (dispatcher.cnf(5)). What a line says is not its business. */
#pragma once

#include "base/str.h"
#include "config/places.h"
#include "config/problem.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Includes inside includes, as in the mapping file of the original. */
#define INCLUDE_DEPTH_MAX 3

/* Bytes of one line, its continuations with it. */
#define LINE_BYTES_MAX 65536

enum line_kind {
    LINE_TEXT,   /* an option or a section */
    LINE_BROKEN, /* had an error, which has been added: what it would have said is not known */
};

struct line {
    enum line_kind kind;
    const char *file; /* one of reader.files */
    unsigned number;  /* where it starts */
    char *text;       /* without blanks at its ends; may be written to; until the next call */
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
    const struct config_places *places;
    struct problem_list *problems;
    struct str_list *files; /* every file read; strings are only added, and stay where they are */
    struct reader_source sources[INCLUDE_DEPTH_MAX + 1];
    size_t n_sources;
    char *buffer; /* of LINE_BYTES_MAX + 1 */
    size_t length;
    bool goes_on;     /* the line read last ends in a backslash */
    bool has_nul;     /* the line in the buffer had one */
    bool is_too_long; /* the line in the buffer lost its end */
    size_t n_includes;
    size_t n_bytes; /* of all files together */
};

/* Starts with the file `path`; everything handed over stays the caller's and must outlive the
 * reader. Returns 0; -EINVAL after it added an error; or -ENOMEM. Call reader_close() in any
 * case. */
int reader_open(struct reader *reader, const char *path, const struct config_places *places,
                struct problem_list *problems, struct str_list *files);

/* Returns 1 with the next line, 0 at the end, or -ENOMEM. */
int reader_next(struct reader *reader, struct line *ret);

void reader_close(struct reader *reader);
