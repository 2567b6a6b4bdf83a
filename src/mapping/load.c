/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/set.h"

#include "files/place.h"
#include "mapping/character.h"
#include "mapping/check.h"
#include "mapping/doubts.h"
#include "mapping/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Far more than any file has; it limits the cost of finding a table by its name. */
#define TABLES_MAX 4096

struct loader {
    struct mapping_set *set;
    struct problem_list *problems;
    struct mapping_table
        *table;    /* the one that entries belong to; NULL: there is none yet, or an invalid one */
    size_t room;   /* number of entries for which the table has memory */
    bool has_name; /* there was a name of a table, valid or not */
    bool is_after_name;  /* the last line was the name of a table */
    bool is_after_blank; /* the last line was blank */
    bool has_entry;      /* since the name of the table */
};

static struct place place_of(const struct loader *loader, const struct line *line)
{
    return (struct place){loader->problems, line->file, line->number};
}

/* Names of tables */

static const char *name_fault(const struct line *line, size_t length)
{
    static const char form[] = "a line that is not indented begins with the name "
                               "of a table, which begins with a letter";

    if (*line->text == '#')
        return "a comment begins with ! or ; in the first column";
    if (!character_is_letter(*line->text))
        return form;
    if (length < line->length)
        return "the name of a table is alone on its line; entries are indented";
    if (length > TABLE_NAME_MAX)
        return "the name of a table has at most 64 characters";
    if (!character_is_name(line->text, length))
        return "the name of a table may contain only letters, digits, _, - and .";
    return NULL;
}

/* Appends an empty table. Returns 0 or -ENOMEM. */
static int add_table(struct loader *loader, const struct line *line, const char *name)
{
    struct mapping_set *set = loader->set;
    struct mapping_table **tables =
        reallocarray(set->tables, set->n_tables + 1, sizeof(set->tables[0]));

    if (!tables)
        return -ENOMEM;
    set->tables = tables;
    struct mapping_table *table = calloc(1, sizeof(*table));
    if (!table)
        return -ENOMEM;
    table->name = name;
    table->file = line->file;
    table->line = line->number;
    set->tables[set->n_tables++] = table;
    loader->table = table;
    return 0;
}

static int read_name(struct loader *loader, const struct line *line)
{
    const struct place place = place_of(loader, line);
    size_t length = line->length;

    while (length > 0 && character_is_blank(line->text[length - 1]))
        length--;
    struct line trimmed = *line;
    trimmed.length = length;
    const char *fault = name_fault(&trimmed, lines_word(line->text, length));
    bool follows_entry = loader->has_entry && !loader->is_after_blank;

    loader->table = NULL;
    loader->room = 0;
    loader->has_name = loader->is_after_name = true;
    loader->has_entry = loader->is_after_blank = false;
    if (fault) {
        place_error(&place, "%s", fault);
        return 0;
    }
    if (follows_entry)
        place_warning(&place, "a blank line is missing before the name of a table");
    const char *name = arena_copy_text(&loader->set->arena, line->text, length);
    if (!name)
        return -ENOMEM;
    const struct mapping_table *same = mapping_set_find(loader->set, name);
    if (same) {
        place_error(&place, "the table %s already exists, at %.300s:%u", name, same->file,
                    same->line);
        return 0;
    }
    if (loader->set->n_tables == TABLES_MAX) {
        place_error(&place, "at most %d tables are allowed", TABLES_MAX);
        return 0;
    }
    return add_table(loader, line, name);
}

/* Entries */

static int add_entry(struct loader *loader, const struct mapping_entry *entry)
{
    struct mapping_table *table = loader->table;

    if (table->n_entries == loader->room) {
        size_t room = loader->room > 0 ? loader->room * 2 : 16;
        struct mapping_entry *entries =
            reallocarray(table->entries, room, sizeof(table->entries[0]));

        if (!entries)
            return -ENOMEM;
        table->entries = entries;
        loader->room = room;
    }
    table->entries[table->n_entries++] = *entry;
    return 0;
}

/* The manuals forbid this, but files have it. */
static void check_blank_lines(const struct loader *loader, const struct place *place)
{
    if (loader->is_after_name)
        place_warning(place, "a blank line is missing between the name of the table and its "
                             "entries");
    else if (loader->is_after_blank && loader->has_entry)
        place_warning(place, "the table continues after a blank line, which should end it");
}

static int read_entry(struct loader *loader, const struct line *line)
{
    const struct place place = place_of(loader, line);
    struct arena *arena = &loader->set->arena;
    size_t n = lines_word(line->text, line->length), at = n;
    struct mapping_entry entry = {.file = line->file, .line = line->number};

    check_blank_lines(loader, &place);
    loader->has_entry = true;
    loader->is_after_name = loader->is_after_blank = false;
    if (!loader->has_name) {
        place_error(&place, "this entry comes before the first table; the name of a table "
                            "begins in the first column");
        return 0;
    }
    if (*line->text == '!' || *line->text == ';')
        place_warning(&place, "this is an entry; a comment has its %c in the first column",
                      *line->text);
    if (*line->text == '<')
        place_warning(&place, "this is an entry; an included file has its < in the first column");
    while (at < line->length && character_is_blank(line->text[at]))
        at++;
    size_t length = lines_word(line->text + at, line->length - at), end = at + length;
    while (end < line->length && character_is_blank(line->text[end]))
        end++;
    if (end < line->length) {
        place_error(&place, "the template has a blank, which must be written as dollar and blank, "
                            "as in $N500$ Go$ away");
        return 0;
    }
    int r = pattern_compile(line->text, n, arena, &place, &entry.pattern);
    unsigned n_fields = r < 0 ? PATTERN_FIELDS_MAX : entry.pattern.n_fields;
    int s = template_compile(line->text + at, length, n_fields, arena, &place, &entry.template);
    if (r == -ENOMEM || s == -ENOMEM)
        return -ENOMEM;
    if (r < 0 || s < 0 || !loader->table)
        return 0;
    entry.text = arena_copy_text(arena, line->text, n);
    return entry.text ? add_entry(loader, &entry) : -ENOMEM;
}

/* Networks */

/* Indexes the networks among the entries from `first` on. Returns how many there are, or -ENOMEM.
 */
static ssize_t index_from(struct mapping_set *set, struct mapping_table *table, size_t first,
                          struct network_key *keys)
{
    size_t n = 0;

    while (first + n < table->n_entries &&
           pattern_is_network(&table->entries[first + n].pattern, &keys[n].network)) {
        keys[n].entry = (uint32_t)(first + n);
        n++;
    }
    if (n < NETWORK_INDEX_MIN)
        return (ssize_t)n;
    struct network_index *indexes =
        reallocarray(table->indexes, table->n_indexes + 1, sizeof(table->indexes[0]));
    if (!indexes)
        return -ENOMEM;
    table->indexes = indexes;
    if (network_index_build(keys, (uint32_t)first, (uint32_t)(first + n), &set->arena,
                            &indexes[table->n_indexes]) < 0)
        return -ENOMEM;
    table->n_indexes++;
    for (size_t i = first; i < first + n; i++)
        table->entries[i].index = (uint32_t)table->n_indexes;
    return (ssize_t)n;
}

static int index_networks(struct mapping_set *set, struct mapping_table *table)
{
    struct network_key *keys = calloc(table->n_entries + 1, sizeof(keys[0]));
    ssize_t n = keys ? 0 : -ENOMEM;

    for (size_t i = 0; n >= 0 && i < table->n_entries; i += (size_t)n + 1)
        n = index_from(set, table, i, keys);
    free(keys);
    return n < 0 ? (int)n : 0;
}

static int finish(struct loader *loader, const char *path)
{
    struct mapping_set *set = loader->set;

    for (size_t i = 0; i < set->n_tables; i++) {
        int r = index_networks(set, set->tables[i]);

        if (r < 0)
            return r;
    }
    check_tables(set, loader->problems);
    return doubts_add(set, path, loader->problems);
}

/* Copies a line; included ones replace the include, and a continued one becomes a single line. */
static void copy_line(const struct line *line, FILE *copy)
{
    const char *indent = line->kind == LINE_TEXT && line->is_indented ? "  " : "";

    if (copy)
        fprintf(copy, "%s%.*s\n", indent, (int)line->length, line->text);
}

static int read_file(struct loader *loader, const char *path, FILE *copy)
{
    const struct config_paths paths = config_paths_default();
    struct reader reader;
    struct line line;
    int r = reader_open(&reader, &mapping_line_rules, path, &paths, loader->problems,
                        &loader->set->files);

    while (r == 0 && (r = reader_next(&reader, &line)) > 0) {
        r = 0;
        copy_line(&line, copy);
        switch (line.kind) {
        case LINE_BLANK:
            loader->is_after_name = false;
            loader->is_after_blank = true;
            break;
        case LINE_TEXT:
            r = line.is_indented ? read_entry(loader, &line) : read_name(loader, &line);
            break;
        case LINE_BROKEN:
            loader->is_after_name = loader->is_after_blank = false;
            break;
        }
    }
    loader->set->is_empty = loader->set->files.n_items > 0 && !reader.has_text;
    reader_close(&reader);
    return r == -ENOMEM ? r : 0;
}

int mapping_set_load(const char *path, struct problem_list *problems, struct mapping_set **ret)
{
    return mapping_set_load_and_copy(path, NULL, problems, ret);
}

int mapping_set_load_and_copy(const char *path, FILE *copy, struct problem_list *problems,
                              struct mapping_set **ret)
{
    size_t n_errors = problems->n_errors;
    _cleanup_mapping_set_ struct mapping_set *set = calloc(1, sizeof(*set));

    if (!set)
        return -ENOMEM;
    set->n_references = 1;
    struct loader loader = {.set = set, .problems = problems};
    int r = read_file(&loader, path, copy);
    if (r == 0)
        r = finish(&loader, path);
    if (r < 0)
        return r;
    if (problems->n_errors > n_errors)
        return -EINVAL;
    *ret = STEAL(set);
    return 0;
}
