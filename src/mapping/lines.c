#include "mapping/lines.h"

#include "base/invisible.h"
#include "base/macro.h"
#include "base/text_file.h"
#include "config/places.h"
#include "mapping/character.h"
#include "mapping/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* All includes of one reading, and all bytes: a file may name another many times, and that again;
 * no reading may go on for ever. */
#define INCLUDES_MAX 256
#define BYTES_MAX    ((size_t)64 << 20)

/* The error is at the line that includes the file, or of the file itself. */
static int refuse(const struct place *place, const char *path, const char *reason)
{
    if (place->line > 0)
        place_error(place, "the include file %.500s %s", path, reason);
    else
        place_error(place, "the file %s", reason);
    return -EINVAL;
}

static int refuse_errno(const struct place *place, const char *path, int r)
{
    char reason[160];

    snprintf(reason, sizeof(reason), "cannot be read: %s", strerror(-r));
    return refuse(place, path, reason);
}

/* The list's own copy of the path; each file is named once. */
static const char *remember_file(struct lines *lines, const char *path)
{
    for (size_t i = 0; i < lines->files->n_items; i++)
        if (strcmp(lines->files->items[i], path) == 0)
            return lines->files->items[i];
    if (str_list_append(lines->files, path) < 0)
        return NULL;
    return lines->files->items[lines->files->n_items - 1];
}

/* Whoever may write to the file decides who is let in. */
static void check_mode(struct lines *lines, const char *path, const struct stat *st)
{
    if (S_ISREG(st->st_mode) && (st->st_mode & (S_IWGRP | S_IWOTH)))
        problem_add(lines->problems, PROBLEM_WARNING, path, 0,
                    "the file can be written by %s; chmod go-w puts that right",
                    st->st_mode & S_IWOTH ? "everybody" : "its group");
}

static bool is_being_read(const struct lines *lines, const struct stat *st)
{
    for (size_t i = 0; i < lines->n_sources; i++)
        if (lines->sources[i].device == st->st_dev && lines->sources[i].inode == st->st_ino)
            return true;
    return false;
}

/* Opens a file and makes it the one that is read. */
static int push(struct lines *lines, const char *path, const struct place *place)
{
    const char *fault;
    FILE *stream;
    struct stat st;
    bool is_first = lines->n_sources == 0;

    if (lines->n_sources == ELEMENTSOF(lines->sources))
        return refuse(place, path, "is nested too deep; three levels are allowed");
    int r = text_file_open(path, is_first, &stream, &st, &fault);
    if (r == -ENOENT && is_first)
        return r;
    if (fault)
        return refuse(place, path, fault);
    if (r < 0)
        return r == -ENOMEM ? r : refuse_errno(place, path, r);
    const char *name = is_being_read(lines, &st) ? NULL : remember_file(lines, path);
    if (!name) {
        fclose(stream);
        return is_being_read(lines, &st) ? refuse(place, path, "includes itself") : -ENOMEM;
    }
    lines->sources[lines->n_sources++] = (struct lines_source){
        .stream = stream, .path = name, .device = st.st_dev, .inode = st.st_ino};
    check_mode(lines, name, &st);
    return 0;
}

static void pop(struct lines *lines)
{
    fclose(lines->sources[--lines->n_sources].stream);
}

int lines_open(struct lines *lines, const char *path, struct problem_list *problems,
               struct str_list *files)
{
    lines->problems = problems;
    lines->files = files;
    lines->n_sources = lines->n_includes = lines->n_bytes = 0;
    lines->has_text = false;
    return push(lines, path, &(struct place){.problems = problems, .file = path});
}

void lines_close(struct lines *lines)
{
    while (lines->n_sources > 0)
        pop(lines);
}

static int next_byte(struct lines *lines, struct lines_source *source)
{
    if (lines->n_bytes == BYTES_MAX)
        return EOF;
    lines->n_bytes++;
    return getc_unlocked(source->stream);
}

/* In the first column. */
static bool is_comment(const struct lines *lines)
{
    return lines->length > 0 && (lines->text[0] == '!' || lines->text[0] == ';');
}

/* Drops the mark that other systems' editors put before the first line. */
static void drop_mark(struct lines *lines, size_t start)
{
    size_t length = lines->length - start;
    size_t n = invisible_mark_length(lines->text + start, length);

    memmove(lines->text + start, lines->text + start + n, length - n);
    lines->length -= n;
}

/* Names a character that the administrator cannot see. In a comment only one matters: the carriage
 * return of a system whose lines end in that alone, where a comment swallows the rest of the file.
 */
static void check_invisible(const struct lines *lines, const struct lines_source *source,
                            size_t start)
{
    const struct place place = {lines->problems, source->path, source->line};
    const char *text = lines->text + start;
    size_t length = lines->length - start;
    struct invisible invisible;

    if (lines->has_nul || !invisible_find(text, length, &invisible))
        return;
    if (!is_comment(lines) || memchr(text, '\r', length))
        place_warning(&place, "character %zu of the line is %s", invisible.column, invisible.name);
}

/* Appends the source's next line, without its end, to the text. Returns false where there is
 * none. */
static bool append_line(struct lines *lines, struct lines_source *source)
{
    int c = next_byte(lines, source);
    size_t start = lines->length;

    if (c == EOF)
        return false;
    source->line++;
    for (; c != '\n' && c != EOF; c = next_byte(lines, source)) {
        lines->has_nul |= c == '\0';
        if (lines->length < MAPPING_LINE_MAX)
            lines->text[lines->length++] = (char)c;
        else
            lines->is_too_long = true;
    }
    if (lines->length > start && lines->text[lines->length - 1] == '\r')
        lines->length--;
    if (source->line == 1)
        drop_mark(lines, start);
    check_invisible(lines, source, start);
    lines->goes_on = lines->length > start && lines->text[lines->length - 1] == '\\';
    return true;
}

size_t lines_word(const char *text, size_t length)
{
    size_t n = 0;

    while (n < length && !character_is_blank(text[n]))
        n += text[n] == '$' && n + 1 < length ? 2 : 1;
    return n;
}

static size_t count_blanks(const char *text, size_t length)
{
    size_t n = 0;

    while (n < length && character_is_blank(text[n]))
        n++;
    return n;
}

/* Two words behind blanks: most likely an entry of its own, and the backslash before it a slip. */
static bool looks_like_entry(const char *text, size_t length)
{
    size_t start = count_blanks(text, length);
    size_t end = start + lines_word(text + start, length - start);

    return start > 0 && count_blanks(text + end, length - end) < length - end;
}

/* Joins the line with those that follow as long as each ends in a backslash. */
static void append_continuations(struct lines *lines, struct lines_source *source,
                                 const struct place *place)
{
    while (lines->goes_on && !lines->is_too_long) {
        size_t start = --lines->length;

        if (!append_line(lines, source)) {
            place_warning(place, "the file ends after a backslash, which joins a line with the "
                                 "next");
            return;
        }
        if (looks_like_entry(lines->text + start, lines->length - start))
            place_warning(place,
                          "the backslash at the end of line %u makes what looks like an "
                          "entry of its own part of this one",
                          source->line - 1);
        size_t blanks = count_blanks(lines->text + start, lines->length - start);
        memmove(lines->text + start, lines->text + start + blanks, lines->length - start - blanks);
        lines->length -= blanks;
    }
}

/* Says what is wrong with the line as bytes. Returns true where something is. */
static bool is_broken(const struct lines *lines, const struct place *place)
{
    const char *fault = NULL;

    if (lines->has_nul)
        fault = "the line holds a NUL byte; the file must be text";
    else if (lines->is_too_long)
        fault = "the line has more than 4096 characters";
    if (fault)
        place_error(place, "%s", fault);
    return fault != NULL;
}

/* The next line of the file that is read, comments included. */
static bool read_line(struct lines *lines, struct mapping_line *ret)
{
    struct lines_source *source = &lines->sources[lines->n_sources - 1];

    lines->length = 0;
    lines->has_nul = lines->is_too_long = false;
    if (!append_line(lines, source))
        return false;
    struct place place = {lines->problems, source->path, source->line};
    if (!is_comment(lines))
        append_continuations(lines, source, &place);
    lines->text[lines->length] = '\0';

    size_t blanks = count_blanks(lines->text, lines->length);
    lines->has_text |= blanks < lines->length;
    *ret = (struct mapping_line){
        .kind = MAPPING_LINE_NAME,
        .file = place.file,
        .number = place.line,
        .text = lines->text + blanks,
        .length = lines->length - blanks,
    };
    if (!is_comment(lines) && is_broken(lines, &place))
        ret->kind = MAPPING_LINE_BROKEN;
    else if (ret->length == 0)
        ret->kind = MAPPING_LINE_BLANK;
    else if (blanks > 0)
        ret->kind = MAPPING_LINE_ENTRY;
    return true;
}

/* Ends the file that is read, saying so where it is not its end. */
static void finish_source(struct lines *lines)
{
    const struct lines_source *source = &lines->sources[lines->n_sources - 1];
    const struct place place = {.problems = lines->problems, .file = source->path};

    if (ferror(source->stream))
        refuse_errno(&place, source->path, -errno);
    else if (lines->n_bytes == BYTES_MAX)
        refuse(&place, source->path, "goes beyond the 64 MiB that are read");
    pop(lines);
}

/* "<file". Returns 0, -EINVAL after an error was added, or -ENOMEM. */
static int include(struct lines *lines, const struct mapping_line *line)
{
    const struct place place = {lines->problems, line->file, line->number};
    const struct config_places places = config_places_default();
    char name[MAPPING_LINE_MAX + 1], reason[PLACES_REASON_MAX];
    _cleanup_str_ char *dir = NULL, *path = NULL;
    size_t start = 1, end = line->length;

    start += count_blanks(line->text + 1, line->length - 1);
    while (end > start && character_is_blank(line->text[end - 1]))
        end--;
    if (start == end) {
        place_error(&place, "a file's name must follow the <, as in <" CONFIG_DIR "/site");
        return -EINVAL;
    }
    memcpy(name, line->text + start, end - start);
    name[end - start] = '\0';
    if (lines->n_includes++ >= INCLUDES_MAX)
        return refuse(&place, name, "is one too many; 256 includes are allowed");
    const char *slash = strrchr(line->file, '/');
    dir = slash ? strndup(line->file, (size_t)(slash - line->file)) : NULL;
    if (slash && !dir)
        return -ENOMEM;
    int r = places_resolve(&places, dir, name, &path, reason);
    if (r == -EINVAL)
        place_error(&place, "<%.60s: %s", name, reason);
    return r < 0 ? r : push(lines, path, &place);
}

int lines_next(struct lines *lines, struct mapping_line *ret)
{
    while (lines->n_sources > 0) {
        struct mapping_line line;

        if (!read_line(lines, &line)) {
            finish_source(lines);
            continue;
        }
        if (is_comment(lines))
            continue;
        if (line.kind == MAPPING_LINE_NAME && *line.text == '<') {
            int r = include(lines, &line);

            if (r == -ENOMEM)
                return r;
            if (r == 0)
                continue;
            line.kind = MAPPING_LINE_BROKEN;
        }
        *ret = line;
        return 1;
    }
    return 0;
}
