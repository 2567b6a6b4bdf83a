/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/str.h"
#include "mapping/character.h"
#include "mapping/metermaid.h"
#include "mapping/run_internal.h"

#include <assert.h>
#include <string.h>

/* The rejection of a listed address, before the text of the list (dispatcher-mappings(5)), and
 * without one. */
static const char listed_reply[] = "500 5.7.1 ";
static const char listed_no_text[] = "No error text available.";

static bool append_field(struct mapping_run *run, unsigned number)
{
    const struct mapping_level *level = run_level(run);
    const struct pattern_field *field = &level->fields[number];

    return run_append_substitution(run, run->text + level->string_at + field->start, field->length);
}

static bool pass_test(struct mapping_run *run, const struct template_element *element)
{
    bool is_set = (run->input_flags & element->flag) != 0;
    bool passed = is_set != element->wants_clear;

    if (run_is_traced(run))
        run_trace_test(run, element, passed);
    return passed;
}

static bool pass_chance(struct mapping_run *run, const struct template_element *element)
{
    uint32_t chance = run->hooks && run->hooks->chance ? run->hooks->chance(run->hooks->data) : 0;
    bool passed = chance < element->chance;

    if (run_is_traced(run))
        run_trace_test(run, element, passed);
    return passed;
}

/* Ends the last argument. Returns where it begins. */
static uint16_t end_argument(struct mapping_run *run)
{
    struct mapping_level *level = run_level(run);

    assert(level->n_arguments > 0);
    return level->arguments[--level->n_arguments];
}

static bool begin_argument(struct mapping_run *run)
{
    struct mapping_level *level = run_level(run);

    assert(level->n_arguments < TEMPLATE_ARGUMENTS_MAX);
    level->arguments[level->n_arguments++] = run->top;
    return true;
}

static bool call_table(struct mapping_run *run, const struct template_element *element)
{
    uint16_t start = end_argument(run);
    const char *fault = NULL;

    if (!element->call->table)
        fault = "does not exist";
    else if (run->depth == MAPPING_DEPTH_MAX)
        fault = "is nested too deep";
    if (run_is_traced(run))
        run_trace_call(run, element, start, fault);
    return run_call_table(run, element->call->table, start);
}

/* Stops the run until there is an answer. The argument stays in its place. */
static bool call_routine(struct mapping_run *run, const struct template_element *element)
{
    uint16_t start = run_level(run)->arguments[run_level(run)->n_arguments - 1];

    /* Its text may come back as part of the rejection. */
    run_make_substitution(run, start);
    run->text[run->top] = '\0';
    const char *fault = element->is_metermaid
                            ? metermaid_read(run->set, run->text + start, &run->callout)
                            : callout_read(element->routine, run->text + start, &run->callout);
    if (run_is_traced(run))
        run_trace_call(run, element, start, fault);
    if (fault)
        return false;
    run->status = MAPPING_CALLOUT;
    return true;
}

/* Returns false if the entry fails. */
static bool work(struct mapping_run *run, const struct template_element *element)
{
    struct mapping_level *level = run_level(run);

    switch (element->kind) {
    case TEMPLATE_TEXT:
        return run_append(run, element->text, element->length);
    case TEMPLATE_FIELD:
        return append_field(run, element->number);
    case TEMPLATE_CONTROL:
        level->control = element->letter;
        return true;
    case TEMPLATE_END_NOW:
        level->control = 'E';
        level->element = level->table->entries[level->entry].template.n_elements;
        return true;
    case TEMPLATE_FLAG:
        level->new_flags |= element->flag;
        return true;
    case TEMPLATE_TEST:
        return pass_test(run, element);
    case TEMPLATE_CHANCE:
        return pass_chance(run, element);
    case TEMPLATE_CASE:
        level->letter_case = element->letter_case;
        return true;
    case TEMPLATE_ARGUMENT:
        return begin_argument(run);
    case TEMPLATE_TABLE:
        return call_table(run, element);
    case TEMPLATE_CALLOUT:
        return call_routine(run, element);
    case TEMPLATE_UNSUPPORTED:
        return false;
    }
    return false;
}

static void run_element(struct mapping_run *run)
{
    struct mapping_level *level = run_level(run);
    const struct template *template = &level->table->entries[level->entry].template;

    if (level->element == template->n_elements) {
        run_succeed(run);
        return;
    }
    if (run->n_elements == MAPPING_ELEMENTS_MAX) {
        run->status = MAPPING_LIMIT;
        return;
    }
    run->n_elements++;
    if (!work(run, &template->elements[level->element++]))
        run_fail(run);
}

enum mapping_status mapping_run_step(struct mapping_run *run)
{
    assert(run->status != MAPPING_CALLOUT);
    while (run->status == MAPPING_RUNNING)
        if (run_level(run)->phase == MAPPING_PHASE_MATCH)
            run_match_entry(run);
        else
            run_element(run);
    return run->status;
}

/* Copies at most that many characters of printable ASCII (dispatcher-mappings(5)), with bars that
 * separate nothing. */
static size_t clean(const char *text, char cleaned[MAPPING_ANSWER_MAX])
{
    size_t n = 0;

    for (; *text && n < MAPPING_ANSWER_MAX; text++)
        if (*text == '|' || *text == CHARACTER_OUTER_BAR)
            cleaned[n++] = CHARACTER_OUTER_BAR;
        else
            cleaned[n++] = str_printable(*text);
    return n;
}

/* Replaces the argument by the rejection. */
static bool reject_listed(struct mapping_run *run, uint16_t start, const char *text)
{
    const char *own = run->callout.text;
    char cleaned[MAPPING_ANSWER_MAX];

    if (!text || !*text)
        text = own && *own ? own : listed_no_text;
    size_t length = clean(text, cleaned);
    run->top = start;
    run_level(run)->new_flags |= FLAG_OF('N');
    return run_append(run, listed_reply, strlen(listed_reply)) && run_append(run, cleaned, length);
}

void mapping_run_resume(struct mapping_run *run, bool succeeded, const char *text)
{
    assert(run->status == MAPPING_CALLOUT);
    uint16_t start = end_argument(run);
    run->status = MAPPING_RUNNING;
    if (run_is_traced(run))
        run_trace_call_end(run, succeeded, start);
    if (!succeeded)
        run_fail(run);
    else if (run->callout.routine != CALLOUT_DNS_LIST)
        run->top = start;
    else if (!reject_listed(run, start, text))
        run_fail(run);
}
