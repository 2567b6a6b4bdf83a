#include "config/reader.h"

#include "base/invisible.h"
#include "base/macro.h"
#include "base/text_file.h"
#include "config/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* All includes of one reading, and all bytes: a file may name another many times, and that again;
 * no reading may go on for ever. */
#define INCLUDES_MAX 256
#define BYTES_MAX    ((size_t)64 << 20)

/* Where an error belongs: the line that includes a file, or the file itself. */
struct place {
    const char *file;
    unsigned line;
};

static int refuse(struct reader *reader, struct place place, const char *path, const char *reason)
{
    if (place.line > 0)
        problem_add(reader->problems, PROBLEM_ERROR, place.file, place.line,
                    "the include file %.500s %s", path, reason);
    else
        problem_add(reader->problems, PROBLEM_ERROR, place.file, 0, "the file %s", reason);
    return -EINVAL;
}

static int refuse_errno(struct reader *reader, struct place place, const char *path, int r)
{
    char reason[160];

    snprintf(reason, sizeof(reason), "cannot be read: %s", strerror(-r));
    return refuse(reader, place, path, reason);
}

/* The reader's own copy of the path; each file is named once. */
static const char *remember_file(struct reader *reader, const char *path)
{
    for (size_t i = 0; i < reader->files->n_items; i++)
        if (strcmp(reader->files->items[i], path) == 0)
            return reader->files->items[i];
    if (str_list_append(reader->files, path) < 0)
        return NULL;
    return reader->files->items[reader->files->n_items - 1];
}

/* Whoever may write to the file decides what runs on our ports. */
static void check_mode(struct reader *reader, const char *path, const struct stat *st)
{
    if (S_ISREG(st->st_mode) && (st->st_mode & (S_IWGRP | S_IWOTH)))
        problem_add(reader->problems, PROBLEM_WARNING, path, 0,
                    "the file can be written by %s; chmod go-w puts that right",
                    st->st_mode & S_IWOTH ? "everybody" : "its group");
}

static bool is_being_read(const struct reader *reader, const struct stat *st)
{
    for (size_t i = 0; i < reader->n_sources; i++)
        if (reader->sources[i].device == st->st_dev && reader->sources[i].inode == st->st_ino)
            return true;
    return false;
}

/* Opens a file and makes it the one that is read. */
static int push(struct reader *reader, const char *path, struct place place)
{
    const char *fault;
    FILE *stream;
    struct stat st;

    if (reader->n_sources == ELEMENTSOF(reader->sources))
        return refuse(reader, place, path, "is nested too deep; three levels are allowed");
    int r = text_file_open(path, reader->n_sources == 0, &stream, &st, &fault);
    if (fault)
        return refuse(reader, place, path, fault);
    if (r < 0)
        return r == -ENOMEM ? r : refuse_errno(reader, place, path, r);
    const char *name = is_being_read(reader, &st) ? NULL : remember_file(reader, path);
    if (!name) {
        fclose(stream);
        return is_being_read(reader, &st) ? refuse(reader, place, path, "includes itself")
                                          : -ENOMEM;
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

int reader_open(struct reader *reader, const char *path, const struct config_places *places,
                struct problem_list *problems, struct str_list *files)
{
    *reader = (struct reader){
        .places = places,
        .problems = problems,
        .files = files,
        .buffer = malloc(LINE_BYTES_MAX + 1),
    };
    if (!reader->buffer)
        return -ENOMEM;
    return push(reader, path, (struct place){.file = path});
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
    return c == ' ' || c == '\t' || c == '\r';
}

static int next_byte(struct reader *reader, struct reader_source *source)
{
    if (reader->n_bytes == BYTES_MAX)
        return EOF;
    reader->n_bytes++;
    return getc_unlocked(source->stream);
}

static bool is_comment(const char *text)
{
    return *text == '!' || *text == ';' || *text == '#';
}

/* Drops the mark that other systems' editors put before the first line. */
static void drop_mark(struct reader *reader, size_t start)
{
    size_t length = reader->length - start;
    size_t n = invisible_mark_length(reader->buffer + start, length);

    memmove(reader->buffer + start, reader->buffer + start + n, length - n);
    reader->length -= n;
}

/* Names a character that the administrator cannot see. In a comment only one matters: the carriage
 * return of a system whose lines end in that alone, where a comment swallows the rest of the file.
 */
static void check_invisible(struct reader *reader, const struct reader_source *source, size_t start)
{
    const char *text = reader->buffer + start;
    size_t length = reader->length - start;
    struct invisible invisible;

    while (length > 0 && (text[length - 1] == '\r' || text[length - 1] == '\0'))
        length--;
    if (reader->has_nul || !invisible_find(text, length, &invisible))
        return;
    if (!is_comment(text + strspn(text, " \t")) || memchr(text, '\r', length))
        problem_add(reader->problems, PROBLEM_WARNING, source->path, source->line,
                    "character %zu of the line is %s", invisible.column, invisible.name);
}

/* Appends the source's next line, without its end, to the buffer. Returns false where there is
 * none. */
static bool append_line(struct reader *reader, struct reader_source *source)
{
    int c = next_byte(reader, source), before = 0;
    size_t start = reader->length;

    if (c == EOF)
        return false;
    source->line++;
    reader->goes_on = false;
    for (; c != '\n' && c != EOF; c = next_byte(reader, source)) {
        reader->has_nul |= c == '\0';
        if (reader->length < LINE_BYTES_MAX)
            reader->buffer[reader->length++] = (char)c;
        else
            reader->is_too_long = true;
        reader->goes_on = c == '\\' || (c == '\r' && before == '\\');
        before = c;
    }
    if (c == '\n' && before == '\r' && !reader->is_too_long)
        reader->length--;
    else if (before == '\r')
        reader->goes_on = false;
    if (source->line == 1)
        drop_mark(reader, start);
    reader->buffer[reader->length] = '\0';
    check_invisible(reader, source, start);
    return true;
}

/* Joins the line in the buffer with those that follow as long as each ends in a backslash. Returns
 * false where the file ends before. */
static bool append_continuations(struct reader *reader, struct reader_source *source)
{
    while (reader->goes_on) {
        if (!reader->is_too_long)
            reader->length--; /* the backslash */
        size_t start = reader->length, first = start;

        if (!append_line(reader, source))
            return false;
        while (first < reader->length && is_blank(reader->buffer[first]))
            first++;
        memmove(reader->buffer + start, reader->buffer + first, reader->length - first);
        reader->length -= first - start;
    }
    return true;
}

/* Says what is wrong with the line as bytes. Returns true where something is. */
static bool is_broken(struct reader *reader, const struct line *line, bool is_cut_off)
{
    const char *fault = NULL;

    if (reader->has_nul)
        fault = "the line holds a NUL byte; the file must be text";
    else if (reader->is_too_long)
        fault = "the line is longer than 65536 bytes";
    else if (is_cut_off)
        fault = "the file ends after a backslash, which joins the line with the next";
    if (fault)
        problem_add(reader->problems, PROBLEM_ERROR, line->file, line->number, "%s", fault);
    return fault != NULL;
}

/* "x\ " looks as if it went on, and does not. */
static void check_end(struct reader *reader, const struct line *line)
{
    size_t length = strlen(line->text);

    if (length > 0 && line->text[length - 1] == '\\' && !is_comment(line->text))
        problem_add(reader->problems, PROBLEM_WARNING, line->file, line->number,
                    "a blank after the backslash keeps the line from being joined with the next");
}

/* The next line of the file that is read, comments and blank lines included. */
static bool read_line(struct reader *reader, struct line *ret)
{
    struct reader_source *source = &reader->sources[reader->n_sources - 1];
    size_t start = 0;

    reader->length = 0;
    reader->has_nul = reader->is_too_long = false;
    if (!append_line(reader, source))
        return false;
    ret->file = source->path;
    ret->number = source->line;
    reader->buffer[reader->length] = '\0';
    while (is_blank(reader->buffer[start]))
        start++;
    bool is_cut_off = !is_comment(reader->buffer + start) && !append_continuations(reader, source);
    reader->buffer[reader->length] = '\0';
    ret->text = text_trim(reader->buffer);
    ret->kind = is_broken(reader, ret, is_cut_off) ? LINE_BROKEN : LINE_TEXT;
    if (ret->kind == LINE_TEXT)
        check_end(reader, ret);
    return true;
}

/* Ends the file that is read, saying so where it is not its end. */
static void finish_source(struct reader *reader)
{
    const struct reader_source *source = &reader->sources[reader->n_sources - 1];
    struct place place = {.file = source->path};

    if (ferror(source->stream))
        refuse_errno(reader, place, source->path, -errno);
    else if (reader->n_bytes == BYTES_MAX)
        refuse(reader, place, source->path, "goes beyond the 64 MiB that are read");
    pop(reader);
}

/* "<file". Returns 0, -EINVAL after an error was added, or -ENOMEM. */
static int include(struct reader *reader, const struct line *line)
{
    struct place place = {.file = line->file, .line = line->number};
    char reason[PLACES_REASON_MAX];
    const char *name = line->text + 1, *slash = strrchr(line->file, '/');
    _cleanup_str_ char *dir = NULL, *path = NULL;

    while (is_blank(*name))
        name++;
    if (!*name) {
        problem_add(reader->problems, PROBLEM_ERROR, line->file, line->number,
                    "a file's name must follow the <, as in <site.cnf");
        return -EINVAL;
    }
    if (reader->n_includes++ >= INCLUDES_MAX)
        return refuse(reader, place, name, "is one too many; 256 includes are allowed");
    dir = slash ? strndup(line->file, (size_t)(slash - line->file)) : NULL;
    if (slash && !dir)
        return -ENOMEM;
    int r = places_resolve(reader->places, dir, name, &path, reason);
    if (r == -EINVAL)
        problem_add(reader->problems, PROBLEM_ERROR, line->file, line->number, "<%.60s: %s", name,
                    reason);
    return r < 0 ? r : push(reader, path, place);
}

int reader_next(struct reader *reader, struct line *ret)
{
    while (reader->n_sources > 0) {
        struct line line;

        if (!read_line(reader, &line)) {
            finish_source(reader);
            continue;
        }
        if (line.kind == LINE_TEXT && (!*line.text || is_comment(line.text)))
            continue;
        if (line.kind == LINE_TEXT && *line.text == '<') {
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
