/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/metermaid.h"

#include "base/str.h"
#include "files/place.h"
#include "mapping/character.h"

#include <stdio.h>
#include <string.h>

static const char form[] = "needs TABLE,ADDRESS";
static const char no_quota[] = "has no number in the table " METERMAID_QUOTA;

struct quota {
    enum callout_routine routine;
    uint32_t limit;
};

/* Reads "60" or "60,penalize", if the template is plain text. */
static bool read_quota(const struct template *template, struct quota *ret)
{
    const struct template_element *element = template->elements;
    char argument[64];
    struct callout callout;
    static const char penalize[] = ",penalize";

    if (template->n_elements != 1 || element->kind != TEMPLATE_TEXT || element->length > 40)
        return false;
    size_t length = strnlen(element->text, element->length);
    bool has_penalty = length > strlen(penalize) &&
                       str_starts_nocase(element->text + length - strlen(penalize), penalize);
    if (has_penalty)
        length -= strlen(penalize);
    snprintf(argument, sizeof(argument), "::,%.*s", (int)length, element->text);
    if (callout_read(CALLOUT_THROTTLE, argument, &callout))
        return false;
    ret->routine = has_penalty ? CALLOUT_THROTTLE_PENALTY : CALLOUT_THROTTLE;
    ret->limit = callout.limit;
    return true;
}

static bool find_quota(const struct mapping_set *set, const char *name, size_t length,
                       struct quota *ret)
{
    const struct mapping_table *table = mapping_set_find(set, METERMAID_QUOTA);

    for (size_t i = 0; table && i < table->n_entries; i++) {
        const struct mapping_entry *entry = &table->entries[i];

        if (strlen(entry->text) == length && strncasecmp(entry->text, name, length) == 0)
            return read_quota(&entry->template, ret);
    }
    return false;
}

const char *metermaid_read(const struct mapping_set *set, const char *argument, struct callout *ret)
{
    const char *comma = strchr(argument, ',');
    struct quota quota;
    char text[ADDRESS_TEXT_MAX + 16];

    if (!comma || strlen(comma + 1) >= ADDRESS_TEXT_MAX)
        return form;
    if (!find_quota(set, argument, (size_t)(comma - argument), &quota))
        return no_quota;
    snprintf(text, sizeof(text), "%s,%u", comma + 1, quota.limit);
    return callout_read(quota.routine, text, ret);
}

const char *metermaid_check(const char *argument)
{
    const char *comma = strchr(argument, ',');
    struct callout callout;
    char text[ADDRESS_TEXT_MAX + 16];

    if (!comma || comma == argument)
        return form;
    if (strchr(comma, CALLOUT_UNKNOWN) || strlen(comma + 1) >= ADDRESS_TEXT_MAX)
        return NULL;
    snprintf(text, sizeof(text), "%s,0", comma + 1);
    return callout_read(CALLOUT_THROTTLE, text, &callout);
}

/* Finds the quota of a call. The name of the table is the text before the comma, unless that is
 * unknown. */
static bool find_quota_of(const struct mapping_set *set, const struct template_element *argument,
                          size_t *ret_length, struct quota *ret)
{
    *ret_length = argument->kind == TEMPLATE_TEXT
                      ? (size_t)(strchrnul(argument->text, ',') - argument->text)
                      : 0;
    return *ret_length > 0 && find_quota(set, argument->text, *ret_length, ret);
}

static void warn(const struct mapping_set *set, const struct place *place,
                 const struct template_element *argument, bool has_fleet)
{
    struct quota quota;
    size_t length;
    bool has_quota = find_quota_of(set, argument, &length, &quota);

    if (has_quota && !has_fleet)
        place_warning(place,
                      "check_metermaid counts the connections of all hosts, which needs FLEET in "
                      "dispatcher.cnf; using conn_throttle instead, which counts those of this "
                      "host, with at most %u a minute",
                      quota.limit);
    else if (!has_quota && has_fleet)
        place_warning(place,
                      "check_metermaid rejects nobody until the table " METERMAID_QUOTA
                      " of this file gives the number of connections allowed in a minute, as in: "
                      "%.*s 60",
                      length > 0 ? (int)length : 10, length > 0 ? argument->text : "NAME_OF_IT");
}

static void look_at(const struct mapping_set *set, const struct mapping_entry *entry,
                    bool has_fleet, struct problem_list *problems)
{
    const struct place place = {problems, entry->file, entry->line};
    const struct template_element *argument = NULL;

    for (size_t i = 0; i < entry->template.n_elements; i++) {
        const struct template_element *element = &entry->template.elements[i];

        if (element->kind == TEMPLATE_ARGUMENT)
            argument = element + 1;
        else if (element->kind == TEMPLATE_CALLOUT && element->is_metermaid)
            warn(set, &place, argument, has_fleet);
    }
}

void metermaid_warn(const struct mapping_set *set, const struct mapping_entry *entry,
                    struct problem_list *problems)
{
    look_at(set, entry, true, problems);
}

void metermaid_warn_without_fleet(const struct mapping_set *set, struct problem_list *problems)
{
    for (size_t i = 0; i < set->n_tables; i++)
        for (size_t k = 0; set->tables[i]->is_used && k < set->tables[i]->n_entries; k++)
            look_at(set, &set->tables[i]->entries[k], false, problems);
}
