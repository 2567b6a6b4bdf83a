/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/check.h"

#include "files/place.h"

/* The tables on the way from PORT_ACCESS through calls. */
struct path {
    const struct path *before;
    struct mapping_table *table;
    unsigned depth;
};

static struct place place_of(const struct mapping_entry *entry, struct problem_list *problems)
{
    return (struct place){problems, entry->file, entry->line};
}

static void find_tables(const struct mapping_set *set, const struct template *template)
{
    for (size_t i = 0; i < template->n_elements; i++) {
        const struct template_element *element = &template->elements[i];

        if (element->kind == TEMPLATE_TABLE)
            element->call->table = mapping_set_find(set, element->call->name);
    }
}

static bool is_on(const struct path *path, const struct mapping_table *table)
{
    for (; path; path = path->before)
        if (path->table == table)
            return true;
    return false;
}

/* Goes on with the table that an entry calls. Errors are reported at the first visit. */
static void follow(const struct path *path, const struct mapping_entry *entry,
                   const struct table_call *call, bool is_first, struct problem_list *problems);

/* Looks at a table and those that it calls. A table is looked at again only if it is deeper than
 * before, so at most MAPPING_DEPTH_MAX + 1 times. */
static void walk(const struct path *path, struct problem_list *problems)
{
    struct mapping_table *table = path->table;
    bool is_first = !table->is_used;

    if (!is_first && path->depth <= table->depth)
        return;
    table->is_used = true;
    table->depth = path->depth;
    for (size_t i = 0; i < table->n_entries; i++) {
        const struct template *template = &table->entries[i].template;

        for (size_t k = 0; k < template->n_elements; k++)
            if (template->elements[k].kind == TEMPLATE_TABLE)
                follow(path, &table->entries[i], template->elements[k].call, is_first, problems);
    }
}

static void follow(const struct path *path, const struct mapping_entry *entry,
                   const struct table_call *call, bool is_first, struct problem_list *problems)
{
    const struct place place = place_of(entry, problems);
    const struct path next = {path, call->table, path->depth + 1};

    if (call->table && !is_on(path, call->table) && next.depth <= MAPPING_DEPTH_MAX)
        walk(&next, problems);
    else if (!is_first)
        return;
    else if (!call->table)
        place_error(&place, "the template calls the table %s, which does not exist", call->name);
    else if (is_on(path, call->table))
        place_error(&place, "the template calls the table %s, which leads back to itself",
                    call->name);
    else
        place_error(&place, "the call of the table %s is nested more than %d deep", call->name,
                    MAPPING_DEPTH_MAX);
}

static void check_faults(const struct mapping_table *table, struct problem_list *problems)
{
    for (size_t i = 0; i < table->n_entries; i++) {
        const struct mapping_entry *entry = &table->entries[i];
        const struct place place = place_of(entry, problems);

        if (entry->template.fault)
            place_error(&place, "the entry for %.300s in %s %s", entry->text, table->name,
                        entry->template.fault);
    }
}

/* Each flag is reported once, where it comes first. */
static void check_flags(const struct mapping_table *table, struct problem_list *problems)
{
    static const uint32_t of_use = FLAG_OF('Y') | FLAG_OF('N') | FLAG_OF('F') | FLAG_OF('T') |
                                   FLAG_LOG_MATCH | FLAG_LOG_REJECT;
    uint32_t said = of_use;

    for (size_t i = 0; i < table->n_entries; i++) {
        const struct mapping_entry *entry = &table->entries[i];
        const struct place place = place_of(entry, problems);

        for (char letter = 'A'; letter <= 'Z'; letter++)
            if (entry->template.flags & ~said & FLAG_OF(letter))
                place_warning(&place, "$%c is a flag without effect in PORT_ACCESS", letter);
        said |= entry->template.flags;
    }
}

static void check_ends(const struct mapping_table *table, struct problem_list *problems)
{
    for (size_t i = 0; i < table->n_entries; i++) {
        const struct mapping_entry *entry = &table->entries[i];
        const struct place place = place_of(entry, problems);

        if (entry->template.may_end_mapping)
            place_warning(&place, "if a call or test in the template fails, the mapping ends and "
                                  "the client is admitted; put $C before it to try the next entry "
                                  "instead");
    }
}

void check_tables(struct mapping_set *set, struct problem_list *problems)
{
    struct mapping_table *port_access = NULL;

    for (size_t i = 0; i < set->n_tables; i++) {
        struct mapping_table *table = set->tables[i];

        if (str_equal_nocase(table->name, MAPPING_PORT_ACCESS))
            port_access = table;
        for (size_t k = 0; k < table->n_entries; k++)
            find_tables(set, &table->entries[k].template);
    }
    if (!port_access)
        return;
    walk(&(struct path){.table = port_access}, problems);
    for (size_t i = 0; i < set->n_tables; i++)
        if (set->tables[i]->is_used)
            check_faults(set->tables[i], problems);
    check_flags(port_access, problems);
    check_ends(port_access, problems);
}
