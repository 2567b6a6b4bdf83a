/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "import/xinetd_read.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The most attributes of an entry, and the most entries; people write far fewer. */
#define ATTRIBUTES_MAX 128
#define ENTRIES_MAX    1024

struct xinetd_attribute *xinetd_find(const struct xinetd_entry *entry, const char *name)
{
    for (size_t i = 0; i < entry->n_attributes; i++)
        if (strcasecmp(entry->attributes[i].name, name) == 0)
            return &entry->attributes[i];
    return NULL;
}

static struct xinetd_attribute *claim(struct importing *importing, struct xinetd_entry *entry,
                                      const char *name, bool is_change)
{
    struct xinetd_attribute *attribute = xinetd_find(entry, name);

    if (attribute || entry->n_attributes == ATTRIBUTES_MAX)
        return attribute;
    struct xinetd_attribute *items =
        reallocarray(entry->attributes, entry->n_attributes + 1, sizeof(*items));
    char *copy = strdup(name);
    if (items)
        entry->attributes = items;
    if (!items || !copy) {
        importing->is_error = true;
        free(copy);
        return NULL;
    }
    attribute = &items[entry->n_attributes++];
    *attribute = (struct xinetd_attribute){.name = copy, .is_change = is_change};
    return attribute;
}

static void remove_value(struct str_list *list, const char *value)
{
    size_t n = 0;

    for (size_t i = 0; i < list->n_items; i++)
        if (strcmp(list->items[i], value) == 0)
            free(list->items[i]);
        else
            list->items[n++] = list->items[i];
    list->n_items = n;
}

/* Reads "NAME = VALUES", "NAME += VALUES" or "NAME -= VALUES". Attributes that xinetd adds up (env,
 * only_from) may be on several lines; the first one decides whether the defaults are changed or
 * replaced. */
static void read_attribute(struct importing *importing, struct xinetd_entry *entry, char *line)
{
    static const char *const adding[] = {"only_from", "no_access", "env", "passenv", "disabled"};
    char *equals = strchr(line, '=');
    struct str_list name = {0}, values = {0};

    if (!equals)
        return;
    char sign = equals > line ? equals[-1] : ' ';
    *equals = '\0';
    bool is_change = sign == '+' || sign == '-';
    if (is_change)
        equals[-1] = '\0';
    import_split(importing, line, &name);
    import_split(importing, equals + 1, &values);
    struct xinetd_attribute *attribute =
        name.n_items == 1 ? claim(importing, entry, name.items[0], is_change) : NULL;
    bool is_list = false;
    for (size_t i = 0; attribute && i < ELEMENTSOF(adding); i++)
        is_list |= strcasecmp(attribute->name, adding[i]) == 0;
    if (attribute && !is_change && !is_list)
        str_list_clear(&attribute->values);
    for (size_t i = 0; attribute && i < values.n_items; i++) {
        if (sign == '-')
            remove_value(&attribute->values, values.items[i]);
        import_add(importing, sign == '-' ? &attribute->removed : &attribute->values, "%s",
                   values.items[i]);
    }
    str_list_clear(&name);
    str_list_clear(&values);
}

static struct xinetd *state(struct importing *importing)
{
    if (!importing->form)
        importing->form = calloc(1, sizeof(struct xinetd));
    if (!importing->form)
        importing->is_error = true;
    return importing->form;
}

static struct xinetd_entry *begin_entry(struct importing *importing, struct xinetd *xinetd,
                                        const struct str_list *words,
                                        const struct import_source *source, unsigned line)
{
    if (strcmp(words->items[0], "defaults") == 0)
        return &xinetd->defaults;
    if (strcmp(words->items[0], "service") != 0 || words->n_items < 2 ||
        xinetd->n_entries == ENTRIES_MAX) {
        import_add(importing, &xinetd->notes, "Line %u of %.200s is not read: %.100s", line,
                   source->name, words->items[0]);
        return NULL;
    }
    struct xinetd_entry *items =
        reallocarray(xinetd->entries, xinetd->n_entries + 1, sizeof(*items));
    if (items)
        xinetd->entries = items;
    struct xinetd_entry entry = {
        .name = strdup(words->items[1]), .source = strdup(source->name), .line = line};
    if (!items || !entry.name || !entry.source) {
        importing->is_error = true;
        free(entry.name);
        free(entry.source);
        return NULL;
    }
    items[xinetd->n_entries] = entry;
    return &items[xinetd->n_entries++];
}

static bool is_include(const struct str_list *words)
{
    return strcmp(words->items[0], "includedir") == 0 || strcmp(words->items[0], "include") == 0;
}

struct reading {
    const struct import_source *source;
    struct xinetd_entry *entry; /* the one that is open, or that the next "{" opens */
    bool is_inside;
};

static void read_line(struct importing *importing, struct xinetd *xinetd, struct reading *reading,
                      char *line, unsigned number)
{
    struct str_list words = {0};

    import_split(importing, line, &words);
    if (words.n_items == 0 || words.items[0][0] == '#') {
        str_list_clear(&words);
        return;
    }
    if (words.items[0][0] == '{') {
        reading->is_inside = true;
    } else if (words.items[0][0] == '}') {
        reading->is_inside = false;
        reading->entry = NULL;
    } else if (reading->is_inside) {
        if (reading->entry)
            read_attribute(importing, reading->entry, line);
    } else if (is_include(&words)) {
        import_add(importing, &xinetd->notes,
                   "%.40s %.200s is not followed: name those files to dispatcherctl import, too.",
                   words.items[0], words.n_items > 1 ? words.items[1] : "");
    } else {
        reading->entry = begin_entry(importing, xinetd, &words, reading->source, number);
        reading->is_inside = strchr(words.items[words.n_items - 1], '{') != NULL;
    }
    str_list_clear(&words);
}

void import_xinetd(struct importing *importing, const struct import_source *source)
{
    struct import_lines lines = {.at = source->text, .end = source->text + source->size};
    struct reading reading = {.source = source};
    struct xinetd *xinetd = state(importing);
    char *line;

    while (xinetd && import_next_line(importing, &lines, &line)) {
        read_line(importing, xinetd, &reading, line, lines.number);
        free(line);
    }
}

const char *xinetd_value(const struct xinetd *xinetd, const struct xinetd_entry *entry,
                         const char *name)
{
    const struct xinetd_attribute *attribute = xinetd_find(entry, name);

    if (!attribute || attribute->values.n_items == 0)
        attribute = xinetd_find(&xinetd->defaults, name);
    return attribute && attribute->values.n_items > 0 ? attribute->values.items[0] : NULL;
}

bool xinetd_is_value(const struct xinetd *xinetd, const struct xinetd_entry *entry,
                     const char *name, const char *value)
{
    const char *given = xinetd_value(xinetd, entry, name);

    return given && strcasecmp(given, value) == 0;
}

bool xinetd_has(const struct xinetd_entry *entry, const char *name, const char *value)
{
    const struct xinetd_attribute *attribute = xinetd_find(entry, name);

    for (size_t i = 0; attribute && i < attribute->values.n_items; i++)
        if (strcasecmp(attribute->values.items[i], value) == 0)
            return true;
    return false;
}

unsigned xinetd_number(const struct xinetd *xinetd, const struct xinetd_entry *entry,
                       const char *name)
{
    const char *text = xinetd_value(xinetd, entry, name);
    unsigned long value = text && isdigit((unsigned char)*text) ? strtoul(text, NULL, 10) : 0;

    return value > 50000 ? 50000 : (unsigned)value;
}

void xinetd_entry_clear(struct xinetd_entry *entry)
{
    for (size_t i = 0; i < entry->n_attributes; i++) {
        free(entry->attributes[i].name);
        str_list_clear(&entry->attributes[i].values);
        str_list_clear(&entry->attributes[i].removed);
    }
    free(entry->attributes);
    free(entry->name);
    free(entry->source);
}
