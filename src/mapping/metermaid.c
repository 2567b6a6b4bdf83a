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

/* The shortest and the longest window, in seconds (access/throttle.h). */
#define QUOTA_TIME_MIN 10
#define QUOTA_TIME_MAX 86400

#define QUOTA_TIME_MINUTE 60

struct quota {
    enum callout_routine routine;
    uint32_t limit;
    uint32_t time_sec;
};

/* Reads one of the options, by its name; the first one may be the quota alone. */
static bool read_option(const char *option, bool is_first, struct quota *ret)
{
    const char *equals = strchrnul(option, '='), *value = *equals ? equals + 1 : equals;
    size_t length = (size_t)(equals - option);

    if (is_first && !*equals)
        return character_read_number(option, &ret->limit);
    if (length == strlen("quota") && str_starts_nocase(option, "quota"))
        return character_read_number(value, &ret->limit);
    if (length == strlen("quota_time") && str_starts_nocase(option, "quota_time"))
        return character_read_number(value, &ret->time_sec) && ret->time_sec >= QUOTA_TIME_MIN &&
               ret->time_sec <= QUOTA_TIME_MAX;
    if (length != strlen("penalize") || !str_starts_nocase(option, "penalize"))
        return false;
    if (!*equals || strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0)
        ret->routine = CALLOUT_THROTTLE_PENALTY;
    else
        return strcasecmp(value, "false") == 0 || strcmp(value, "0") == 0;
    return true;
}

/* Reads "60", "60,penalize" or "quota=60,quota_time=3600,penalize=true", if the template is plain
 * text. */
static bool read_quota(const struct template *template, struct quota *ret)
{
    const struct template_element *element = template->elements;
    struct quota quota = {
        .routine = CALLOUT_THROTTLE, .limit = UINT32_MAX, .time_sec = QUOTA_TIME_MINUTE};
    char text[96], *rest = text;
    bool is_first = true;

    if (template->n_elements != 1 || element->kind != TEMPLATE_TEXT ||
        element->length >= sizeof(text))
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)element->length, element->text);
    for (char *option; (option = strsep(&rest, ",")); is_first = false)
        if (!read_option(str_trim(option, STR_BLANKS), is_first, &quota))
            return false;
    *ret = quota;
    return quota.limit != UINT32_MAX;
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
    const char *fault = callout_read(quota.routine, text, ret);
    if (!fault && quota.time_sec != QUOTA_TIME_MINUTE)
        ret->window_sec = quota.time_sec;
    return fault;
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
    char time[24] = "a minute";

    if (has_quota && quota.time_sec != QUOTA_TIME_MINUTE)
        snprintf(time, sizeof(time), "in %u s", quota.time_sec);
    if (has_quota && !has_fleet)
        place_warning(place,
                      "check_metermaid counts the connections of all hosts, which needs FLEET in "
                      "dispatcher.cnf; using conn_throttle instead, which counts those of this "
                      "host, with at most %u %s",
                      quota.limit, time);
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
