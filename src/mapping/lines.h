/* Lines of a mapping file: joins continued ones, leaves out comments, puts included files in place
 * (dispatcher-mappings(5)), and says which begin in the first column. Unlike in dispatcher.cnf that
 * counts, and so do blank lines; so this is no part of config/reader.h. What a line says is not its
 * business.
 */
#pragma once

#include "base/str.h"
#include "config/problem.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#define MAPPING_INCLUDE_DEPTH_MAX 3

/* Bytes of a line with its continuations (dispatcher-mappings(5)). */
#define MAPPING_LINE_MAX 4096

enum mapping_line_kind {
    MAPPING_LINE_BLANK,
    MAPPING_LINE_NAME,   /* begins in the first column */
    MAPPING_LINE_ENTRY,  /* begins with a blank */
    MAPPING_LINE_BROKEN, /* had an error, which has been added */
};

struct mapping_line {
    enum mapping_line_kind kind;
    const char *file; /* one of reader.files */
    unsigned number;  /* where it starts */
    const char *text; /* without the blanks at its start; until the next call */
    size_t length;
};

struct lines_source {
    FILE *stream;
    const char *path;
    dev_t device; /* tells the file, whatever path leads to it */
    ino_t inode;
    unsigned line;
};

struct lines {
    struct problem_list *problems;
    struct str_list *files; /* every file read; strings are only added, and stay where they are */
    struct lines_source sources[MAPPING_INCLUDE_DEPTH_MAX + 1];
    size_t n_sources;
    size_t n_includes;
    size_t n_bytes; /* of all files together */
    char text[MAPPING_LINE_MAX + 1];
    size_t length;
    bool has_text; /* some line of any file, were it a comment, is not blank */
    bool goes_on;
    bool has_nul;
    bool is_too_long;
};

/* Starts with the file `path`; everything handed over stays the caller's and must outlive the
 * lines. Returns 0; -ENOENT where there is no such file (no error is added); -EINVAL after it added
 * an error; or -ENOMEM. Call lines_close() in any case. */
int lines_open(struct lines *lines, const char *path, struct problem_list *problems,
               struct str_list *files);

/* Returns 1 with the next line, 0 at the end, or -ENOMEM. */
int lines_next(struct lines *lines, struct mapping_line *ret);

void lines_close(struct lines *lines);

/* The length of the first word: up to a blank that no dollar quotes. */
size_t lines_word(const char *text, size_t length);
