/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "files/reader.h"

#include "base/macro.h"
#include "base/text_file.h"
#include "files/invisible.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Limits for all includes of one reading, and all bytes: files may include each other many times
 * over, and reading must come to an end. */
#define INCLUDES_MAX 256
#define BYTES_MAX    ((size_t)64 << 20)

/* The error is reported at the line that includes the file, or else for the file itself. */
static int refuse(struct place place, const char *path, const char *reason)
{
    if (place.line > 0)
        place_error(&place, "the include file %.500s %s", path, reason);
    else
        place_error(&place, "the file %s", reason);
    return -EINVAL;
}

static int refuse_errno(struct place place, const char *path, int r)
{
    char reason[160];

    snprintf(reason, sizeof(reason), "cannot be read: %s", strerror(-r));
    return refuse(place, path, reason);
}

/* The reader's own copy of the path; each file has one. */
static const char *remember_file(struct reader *reader, const char *path)
{
    for (size_t i = 0; i < reader->files->n_items; i++)
        if (strcmp(reader->files->items[i], path) == 0)
            return reader->files->items[i];
    if (str_list_append(reader->files, path) < 0)
        return NULL;
    return reader->files->items[reader->files->n_items - 1];
}

/* Whoever can write to the file decides which programs run, and which clients are admitted. */
static void check_mode(struct reader *reader, const char *path, const struct stat *st)
{
    if (S_ISREG(st->st_mode) && (st->st_mode & (S_IWGRP | S_IWOTH)))
        problem_add(reader->problems, PROBLEM_WARNING, path, 0,
                    "the file can be written by %s; chmod go-w corrects that",
                    st->st_mode & S_IWOTH ? "everybody" : "its group");
}

static bool is_being_read(const struct reader *reader, const struct stat *st)
{
    for (size_t i = 0; i < reader->n_sources; i++)
        if (reader->sources[i].device == st->st_dev && reader->sources[i].inode == st->st_ino)
            return true;
    return false;
}

/* Opens a file, and reads from it from now on. */
static int push(struct reader *reader, const char *path, struct place place)
{
    const char *fault;
    FILE *stream;
    struct stat st;
    bool is_first = reader->n_sources == 0;

    if (reader->n_sources == ELEMENTSOF(reader->sources))
        return refuse(place, path, "is nested too deep; three levels are allowed");
    int r = text_file_open(path, is_first, &stream, &st, &fault);
    if (r == -ENOENT && is_first && reader->rules->may_be_missing)
        return r;
    if (fault)
        return refuse(place, path, fault);
    if (r < 0)
        return r == -ENOMEM ? r : refuse_errno(place, path, r);
    const char *name = is_being_read(reader, &st) ? NULL : remember_file(reader, path);
    if (!name) {
        fclose(stream);
        return is_being_read(reader, &st) ? refuse(place, path, "includes itself") : -ENOMEM;
    }
    reader->sources[reader->n_sources++] = (struct reader_source){
        .stream = stream,
        .path = name,
        .device = st.st_dev,
        .inode = st.st_ino,
    };
    check_mode(reader, name, &st);
    return 0;
}

static void pop(struct reader *reader)
{
    fclose(reader->sources[--reader->n_sources].stream);
}

int reader_open(struct reader *reader, const struct reader_rules *rules, const char *path,
                const struct config_paths *paths, struct problem_list *problems,
                struct str_list *files)
{
    *reader = (struct reader){
        .rules = rules,
        .paths = paths,
        .problems = problems,
        .files = files,
        .buffer = malloc(rules->line_max + 1),
    };
    if (!reader->buffer)
        return -ENOMEM;
    return push(reader, path, (struct place){.problems = problems, .file = path});
}

void reader_close(struct reader *reader)
{
    while (reader->n_sources > 0)
        pop(reader);
    free(reader->buffer);
    reader->buffer = NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static size_t count_blanks(const char *text, size_t length)
{
    size_t n = 0;

    while (n < length && is_blank(text[n]))
        n++;
    return n;
}

static int next_byte(struct reader *reader, struct reader_source *source)
{
    if (reader->n_bytes == BYTES_MAX)
        return EOF;
    reader->n_bytes++;
    return getc_unlocked(source->stream);
}

/* Removes the byte order mark, which editors of other systems put before the first line. */
static void drop_mark(struct reader *reader, size_t start)
{
    size_t length = reader->length - start;
    size_t n = invisible_mark_length(reader->buffer + start, length);

    memmove(reader->buffer + start, reader->buffer + start + n, length - n);
    reader->length -= n;
}

/* Reports a character that the administrator cannot see. In a comment only the carriage return
 * matters: if a system uses it as the only line end, a comment extends to the end of the file. */
static void check_invisible(const struct reader *reader, const struct reader_source *source,
                            size_t start)
{
    const struct place place = {reader->problems, source->path, source->line};
    const char *text = reader->buffer + start;
    size_t length = reader->length - start;
    struct invisible invisible;

    if (reader->has_nul || !invisible_find(text, length, &invisible))
        return;
    if (!reader->is_comment || memchr(text, '\r', length))
        place_warning(&place, "character %zu of the line is %s", invisible.column, invisible.name);
}

/* Takes bytes up to the end of the line, as many as there is room for; `c` is the first one.
 * Carriage returns at the end are dropped. */
static void take_bytes(struct reader *reader, struct reader_source *source, int c)
{
    size_t n_returns = 0;

    for (; c != '\n' && c != EOF; c = next_byte(reader, source)) {
        n_returns = c == '\r' ? n_returns + 1 : 0;
        if (c != '\r')
            reader->goes_on = c == '\\';
        reader->has_nul |= c == '\0';
        if (reader->length < reader->rules->line_max)
            reader->buffer[reader->length++] = (char)c;
        else
            reader->is_too_long = true;
    }
    if (!reader->is_too_long)
        reader->length -= n_returns;
}

/* Appends the next line of the source, without its end, to the buffer. Returns false if there is
 * none. */
static bool append_line(struct reader *reader, struct reader_source *source)
{
    int c = next_byte(reader, source);
    size_t start = reader->length;

    reader->goes_on = false;
    if (c == EOF)
        return false;
    source->line++;
    take_bytes(reader, source, c);
    if (source->line == 1)
        drop_mark(reader, start);
    reader->buffer[reader->length] = '\0';
    return true;
}

/* Joins the line in the buffer with the following ones as long as each ends in a backslash. Returns
 * false if the file ends first. */
static bool append_continuations(struct reader *reader, struct reader_source *source,
                                 const struct place *place)
{
    const struct reader_rules *rules = reader->rules;

    while (reader->goes_on) {
        if (!reader->is_too_long)
            reader->length--; /* the backslash */
        size_t start = reader->length;

        if (!append_line(reader, source))
            return false;
        check_invisible(reader, source, start);
        char *text = reader->buffer + start;
        size_t length = reader->length - start, blanks = count_blanks(text, length);
        if (rules->is_joined_by_mistake && rules->is_joined_by_mistake(text, length))
            place_warning(place,
                          "a line that looks like an entry of its own is part of this one, "
                          "because line %u ends with a backslash",
                          source->line - 1);
        memmove(text, text + blanks, length - blanks);
        reader->length -= blanks;
    }
    return true;
}

/* Reports what is wrong with the bytes of the line. Returns true if anything is. */
static bool is_broken(const struct reader *reader, const struct place *place, bool is_cut_off)
{
    const struct reader_rules *rules = reader->rules;

    if (reader->has_nul)
        place_error(place, "the line contains a NUL byte; the file must be text");
    else if (reader->is_comment)
        return false;
    else if (reader->is_too_long)
        place_error(place, "%s", rules->too_long);
    else if (is_cut_off)
        problem_add(place->problems, rules->cut_off, place->file, place->line, "%s",
                    rules->cut_off_text);
    return reader->has_nul || reader->is_too_long ||
           (is_cut_off && rules->cut_off == PROBLEM_ERROR);
}

/* Reports blanks at the end of the line: "x\ " looks as if the line continued, but it does not. */
static void check_end(struct reader *reader, const struct place *place)
{
    size_t length = reader->length;

    while (length > 0 && is_blank(reader->buffer[length - 1]))
        length--;
    if (!reader->is_comment && length > 0 && length < reader->length &&
        reader->buffer[length - 1] == '\\')
        place_warning(place, "a blank after the backslash keeps the line from being joined with "
                             "the next");
    if (!reader->rules->has_columns)
        reader->length = length;
}

static bool is_comment(const struct reader *reader)
{
    size_t blanks = count_blanks(reader->buffer, reader->length);

    return blanks < reader->length && (blanks == 0 || !reader->rules->has_columns) &&
           reader->buffer[blanks] != '\0' &&
           strchr(reader->rules->comment_marks, reader->buffer[blanks]);
}

/* Reads the next line of the present file, which may be a comment. */
static bool read_line(struct reader *reader, struct line *ret)
{
    struct reader_source *source = &reader->sources[reader->n_sources - 1];
    bool is_cut_off = false;

    reader->length = 0;
    reader->has_nul = reader->is_too_long = false;
    if (!append_line(reader, source))
        return false;
    const struct place place = {reader->problems, source->path, source->line};
    reader->is_comment = is_comment(reader);
    check_invisible(reader, source, 0);
    if (!reader->is_comment)
        is_cut_off = !append_continuations(reader, source, &place);
    bool is_bad = is_broken(reader, &place, is_cut_off);
    if (!is_bad)
        check_end(reader, &place);
    reader->buffer[reader->length] = '\0';

    size_t blanks = count_blanks(reader->buffer, reader->length);
    reader->has_text |= blanks < reader->length;
    *ret = (struct line){
        .kind = is_bad                     ? LINE_BROKEN
                : blanks == reader->length ? LINE_BLANK
                                           : LINE_TEXT,
        .file = place.file,
        .number = place.line,
        .is_indented = blanks > 0,
        .text = reader->buffer + blanks,
        .length = reader->length - blanks,
    };
    return true;
}

/* Finishes the present file, with an error unless its end was reached. */
static void finish_source(struct reader *reader)
{
    const struct reader_source *source = &reader->sources[reader->n_sources - 1];
    const struct place place = {.problems = reader->problems, .file = source->path};

    if (ferror(source->stream))
        refuse_errno(place, source->path, -errno);
    else if (reader->n_bytes == BYTES_MAX)
        refuse(place, source->path, "goes beyond the 64 MiB that are read");
    pop(reader);
}

/* Handles "<file". Returns 0, -EINVAL after an error was added, or -ENOMEM. */
static int include(struct reader *reader, const struct line *line)
{
    const struct place place = {reader->problems, line->file, line->number};
    const char *slash = strrchr(line->file, '/');
    char reason[PATHS_REASON_MAX];
    _cleanup_str_ char *dir = NULL, *path = NULL;
    char *name = line->text + 1 + count_blanks(line->text + 1, line->length - 1);
    size_t length = strlen(name);

    while (length > 0 && is_blank(name[length - 1]))
        name[--length] = '\0';
    if (length == 0) {
        place_error(&place, "a file's name must follow the <, as in <%s",
                    reader->rules->include_example);
        return -EINVAL;
    }
    if (reader->n_includes++ >= INCLUDES_MAX)
        return refuse(place, name, "is one too many; 256 includes are allowed");
    dir = slash ? strndup(line->file, (size_t)(slash - line->file)) : NULL;
    if (slash && !dir)
        return -ENOMEM;
    int r = paths_resolve(reader->paths, dir, name, &path, reason);
    if (r == -EINVAL)
        place_error(&place, "<%.60s: %s", name, reason);
    return r < 0 ? r : push(reader, path, place);
}

static bool is_include(const struct reader *reader, const struct line *line)
{
    return line->kind == LINE_TEXT && *line->text == '<' &&
           (!line->is_indented || !reader->rules->has_columns);
}

int reader_next(struct reader *reader, struct line *ret)
{
    while (reader->n_sources > 0) {
        struct line line;

        if (!read_line(reader, &line)) {
            finish_source(reader);
            continue;
        }
        if (reader->is_comment && line.kind != LINE_BROKEN)
            continue;
        if (is_include(reader, &line)) {
            int r = include(reader, &line);

            if (r == -ENOMEM)
                return r;
            if (r == 0)
                continue;
            line.kind = LINE_BROKEN;
        }
        *ret = line;
        return 1;
    }
    return 0;
}
