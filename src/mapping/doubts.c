/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/doubts.h"

#include "base/nearest.h"
#include "files/place.h"
#include "mapping/character.h"
#include "mapping/form.h"
#include "mapping/metermaid.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* FROM_ACCESS, which other programs use, differs from PORT_ACCESS by three letters. */
#define NEAR_MISS_EDITS_MAX 2

#define REASON_MAX 240

static struct place place_of(const struct mapping_entry *entry, struct problem_list *problems)
{
    return (struct place){problems, entry->file, entry->line};
}

/* Tables */

static void check_port_access(const struct mapping_set *set, const char *path,
                              struct problem_list *problems)
{
    const struct mapping_table *port_access = mapping_set_find(set, MAPPING_PORT_ACCESS);

    for (size_t i = 0; i < set->n_tables; i++) {
        const struct mapping_table *table = set->tables[i];
        struct nearest nearest = nearest_init(table->name);

        nearest_offer(&nearest, MAPPING_PORT_ACCESS);
        if (!table->is_used && nearest.best && nearest.best_distance <= NEAR_MISS_EDITS_MAX)
            problem_add(problems, PROBLEM_WARNING, table->file, table->line,
                        "the table %s has no effect; did you mean " MAPPING_PORT_ACCESS "?",
                        table->name);
    }
    if (port_access && port_access->n_entries == 0)
        problem_add(problems, PROBLEM_WARNING, port_access->file, port_access->line,
                    MAPPING_PORT_ACCESS " has no entries, so everybody is served");
    else if (!port_access && set->n_tables > 0)
        problem_add(problems, PROBLEM_WARNING, path, 0,
                    "there is no table " MAPPING_PORT_ACCESS ", so everybody is served");
    else if (!port_access && set->is_empty)
        problem_add(problems, PROBLEM_WARNING, path, 0,
                    "the file is empty, so everybody is served");
}

/* Control */

/* The control letter that is in force at the end of the template; 0: none. */
static char last_control(const struct template *template)
{
    char control = 0;

    for (size_t i = 0; i < template->n_elements; i++)
        if (template->elements[i].kind == TEMPLATE_CONTROL)
            control = template->elements[i].letter;
        else if (template->elements[i].kind == TEMPLATE_END_NOW)
            return 'E';
    return control;
}

static bool goes_on(const struct template *template)
{
    char control = last_control(template);

    return control != 0 && control != 'E';
}

static bool begins_again(const struct template *template)
{
    char control = last_control(template);

    return control == 'L' || control == 'R';
}

/* What is known about the strings that each entry of a table is applied to. If an entry succeeds
 * and the mapping goes on, its result becomes the string. */
static unsigned forms_at_start(const struct mapping_table *table)
{
    for (size_t i = 0; i < table->n_entries; i++)
        if (begins_again(&table->entries[i].template))
            return FORM_ANY;
    return table->forms;
}

/* Forms of helper tables */

/* The form of the argument that ends at element `end`, which is a call. */
static unsigned form_of_argument(const struct mapping_entry *entry, unsigned forms, size_t end)
{
    const struct template_element *elements = entry->template.elements;

    if (end < 2 || elements[end - 1].kind != TEMPLATE_FIELD ||
        elements[end - 2].kind != TEMPLATE_ARGUMENT)
        return FORM_ANY;
    return form_of_field(&entry->pattern, forms, elements[end - 1].number);
}

/* Passes the forms on to the tables that this one calls. Returns true if that changed any of them.
 */
static bool pass_forms_on(const struct mapping_table *table)
{
    unsigned forms = forms_at_start(table);
    bool has_changed = false;

    for (size_t i = 0; i < table->n_entries; i++) {
        const struct mapping_entry *entry = &table->entries[i];

        for (size_t k = 0; k < entry->template.n_elements; k++) {
            const struct template_element *element = &entry->template.elements[k];

            if (element->kind != TEMPLATE_TABLE || !element->call->table)
                continue;
            unsigned *of_called = &element->call->table->forms;
            unsigned more = form_of_argument(entry, forms, k);
            has_changed |= (more & ~*of_called) != 0;
            *of_called |= more;
        }
        if (goes_on(&entry->template))
            forms = FORM_ANY;
    }
    return has_changed;
}

static void find_forms(const struct mapping_set *set)
{
    struct mapping_table *port_access = mapping_set_find(set, MAPPING_PORT_ACCESS);
    bool has_changed = port_access;

    if (port_access)
        port_access->forms = FORM_PROBE;
    while (has_changed) {
        has_changed = false;
        for (size_t i = 0; i < set->n_tables; i++)
            if (set->tables[i]->is_used)
                has_changed |= pass_forms_on(set->tables[i]);
    }
}

/* Patterns that match nothing */

/* A part of the pattern between bars, as it was written, with wildcards as plain text. */
struct part {
    const char *text;
    size_t length;
};

/* Takes the next part off the pattern. */
static struct part next_part(const char **rest)
{
    struct part part = {.text = *rest, .length = strcspn(*rest, "|")};

    *rest += part.length + ((*rest)[part.length] == '|');
    return part;
}

static bool read_ip(const char *text, size_t length, bool *ret_is_ipv6, uint8_t bytes[16])
{
    *ret_is_ipv6 = memchr(text, ':', length);
    return *ret_is_ipv6 ? network_read_ipv6(text, length, bytes)
                        : network_read_ipv4(text, length, bytes);
}

/* Whether the part looks like "192.0.2.0/24" or "192.0.2.1-192.0.2.9", with or without brackets.
 * Fills in the reason. */
static bool is_network_as_text(struct part part, char reason[REASON_MAX])
{
    uint8_t bytes[16];
    bool is_ipv6;

    if (part.length > 0 && strchr("({[<", part.text[0])) {
        part.text++;
        part.length--;
    }
    while (part.length > 0 && strchr(")}]>", part.text[part.length - 1]))
        part.length--;
    size_t n = network_span(part.text, part.length, true);
    if (n == part.length || !strchr("/-", part.text[n]) || !read_ip(part.text, n, &is_ipv6, bytes))
        return false;
    if (part.text[n] == '-')
        snprintf(reason, REASON_MAX,
                 "a range of addresses is written as one or more networks, as in %s",
                 is_ipv6 ? "${2001:db8::/32}" : "$(192.0.2.0/24)");
    else
        snprintf(reason, REASON_MAX, "the network is written as $%c%.*s%c", is_ipv6 ? '{' : '(',
                 (int)strcspn(part.text, ")}]>|"), part.text, is_ipv6 ? '}' : ')');
    return true;
}

/* An IPv6 address in a spelling that probes do not use. */
static bool is_odd_ipv6(struct part part, char reason[REASON_MAX])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char plain[INET6_ADDRSTRLEN];
    uint8_t bytes[16];

    if (!memchr(part.text, ':', part.length) || !network_read_ipv6(part.text, part.length, bytes))
        return false;
    bool is_mapped = memcmp(bytes, mapped, sizeof(mapped)) == 0;
    if (!is_mapped && network_is_canonical_ipv6(part.text, part.length, bytes))
        return false;
    if (is_mapped)
        inet_ntop(AF_INET, bytes + sizeof(mapped), plain, sizeof(plain));
    else
        inet_ntop(AF_INET6, bytes, plain, sizeof(plain));
    snprintf(reason, REASON_MAX, "the address is written as %s", plain);
    return true;
}

/* Looks for a part that can match no string of any form. */
static bool find_odd_address(const struct mapping_entry *entry, unsigned forms,
                             char reason[REASON_MAX])
{
    for (const char *rest = entry->text; *rest;) {
        struct part part = next_part(&rest);

        if (is_network_as_text(part, reason))
            return true;
        /* Only text from other sources may have another spelling. */
        if (!(forms & FORM_ANY) && is_odd_ipv6(part, reason))
            return true;
    }
    return false;
}

/* Adds what is probably wrong with a pattern that matches no probe. */
static void find_probe_fault(const struct mapping_entry *entry, char reason[REASON_MAX])
{
    static const char probe[] = "TCP|server|port|client|port";
    unsigned n_bars = form_count_bars(&entry->pattern);
    const struct pattern_element *first = entry->pattern.elements;

    if (n_bars != 4)
        snprintf(reason, REASON_MAX, "it has %u of the four bars of a probe, which is %s", n_bars,
                 probe);
    else if (first->kind == PATTERN_TEXT && !str_starts_nocase(first->text, "tcp|"))
        snprintf(reason, REASON_MAX, "a probe begins with TCP|");
    else
        snprintf(reason, REASON_MAX,
                 "a probe is %s, with numbers for ports and whole addresses or a wildcard", probe);
}

static void check_pattern(const struct form_automaton *automaton, const struct mapping_table *table,
                          const struct mapping_entry *entry, unsigned forms,
                          struct problem_list *problems)
{
    const struct place place = place_of(entry, problems);
    struct network network;
    char reason[REASON_MAX];
    bool is_probe = forms == FORM_PROBE;

    /* Long lists of addresses are common; only the other entries are examined. */
    if ((forms & FORM_ADDRESS) && pattern_is_network(&entry->pattern, &network))
        return;
    if (!find_odd_address(entry, forms, reason)) {
        if (form_can_match(automaton, &entry->pattern, forms))
            return;
        if (is_probe)
            find_probe_fault(entry, reason);
        else
            snprintf(reason, REASON_MAX, "the table %s is called with %s", table->name,
                     forms == FORM_ADDRESS ? "addresses, which are matched as a whole"
                     : forms == FORM_PORT  ? "port numbers"
                                           : "other strings");
    }
    place_warning(&place, "the pattern %.200s matches no %s: %s", entry->text,
                  is_probe ? "connection" : "client", reason);
}

/* Templates that decide nothing */

#define VERDICT_FLAGS (FLAG_OF('Y') | FLAG_OF('N') | FLAG_OF('F'))
#define LOG_FLAGS     (FLAG_LOG_MATCH | FLAG_LOG_REJECT)

/* A callout of a DNS list includes $N. */
static bool asks_list(const struct template *template)
{
    for (size_t i = 0; i < template->n_elements; i++)
        if (template->elements[i].kind == TEMPLATE_CALLOUT &&
            template->elements[i].routine == CALLOUT_DNS_LIST)
            return true;
    return false;
}

static bool decides(const struct template *template)
{
    return (template->flags & VERDICT_FLAGS) || asks_list(template);
}

/* `has_flags`: earlier entries may have set some, which count here too. */
static void check_verdict(const struct mapping_entry *entry, bool is_helper, bool has_flags,
                          struct problem_list *problems)
{
    const struct place place = place_of(entry, problems);

    if (decides(&entry->template) || goes_on(&entry->template) || has_flags)
        return;
    if (is_helper)
        place_warning(&place,
                      "the entry lacks $Y, so the call of its table fails; if that is intended, "
                      "add $N");
    else if (!(entry->template.flags & LOG_FLAGS))
        place_warning(&place, "the entry has neither $N nor $Y: it accepts the client, and its "
                              "text is not used");
}

static void check_table(const struct mapping_set *set, const struct form_automaton *automaton,
                        const struct mapping_table *table, struct problem_list *problems)
{
    bool is_helper = !str_equal_nocase(table->name, MAPPING_PORT_ACCESS);
    unsigned forms = forms_at_start(table);
    bool has_flags = false;

    for (size_t i = 0; i < table->n_entries; i++)
        has_flags |= begins_again(&table->entries[i].template);
    for (size_t i = 0; i < table->n_entries; i++) {
        const struct mapping_entry *entry = &table->entries[i];

        /* An indented include was reported when the file was read. */
        if (*entry->text == '<')
            continue;
        metermaid_warn(set, entry, problems);
        check_pattern(automaton, table, entry, forms, problems);
        check_verdict(entry, is_helper, has_flags, problems);
        if (goes_on(&entry->template)) {
            forms = FORM_ANY;
            has_flags |= decides(&entry->template);
        }
    }
}

int doubts_add(const struct mapping_set *set, const char *path, struct problem_list *problems)
{
    struct form_automaton *automaton = form_automaton_new();

    if (!automaton)
        return -ENOMEM;
    check_port_access(set, path, problems);
    find_forms(set);
    for (size_t i = 0; i < set->n_tables; i++)
        if (set->tables[i]->is_used)
            check_table(set, automaton, set->tables[i], problems);
    form_automaton_free(automaton);
    return 0;
}
