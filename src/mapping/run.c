/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/run.h"

#include "mapping/character.h"
#include "mapping/run_internal.h"

#include <string.h>

/* How many passes may be started again with a string that has not become shorter
 * (dispatcher-mappings(5)). */
#define LOOPS_MAX 10

/* The text: a stack, which grows at its end only */

bool run_append(struct mapping_run *run, const char *text, size_t length)
{
    struct mapping_level *level = run_level(run);
    size_t start =
        level->n_arguments > 0 ? level->arguments[level->n_arguments - 1] : level->out_at;

    if (run->top - start + length > MAPPING_STRING_MAX || run->top + length > MAPPING_TEXT_MAX)
        return false;
    memmove(run->text + run->top, text, length);
    for (char *c = run->text + run->top; c < run->text + run->top + length; c++)
        if (level->letter_case != CASE_KEPT)
            *c = level->letter_case == CASE_LOWER ? character_lower(*c) : character_upper(*c);
    run->top = (uint16_t)(run->top + length);
    return true;
}

void run_make_substitution(struct mapping_run *run, size_t start)
{
    for (char *c = run->text + start; c < run->text + run->top; c++)
        if (*c == CHARACTER_LINE_END)
            *c = '~';
}

bool run_append_substitution(struct mapping_run *run, const char *text, size_t length)
{
    size_t start = run->top;

    if (!run_append(run, text, length))
        return false;
    run_make_substitution(run, start);
    return true;
}

/* Tables */

/* Applies a table to the text from `start` on. */
static void begin_table(struct mapping_run *run, size_t depth, const struct mapping_table *table,
                        uint16_t start)
{
    run->depth = depth;
    run->has_input = false;
    run->levels[depth] = (struct mapping_level){
        .table = table,
        .phase = MAPPING_PHASE_MATCH,
        .string_at = start,
        .string_length = (uint16_t)(run->top - start),
        .out_at = run->top,
    };
    if (run_is_traced(run))
        run_trace_table(run);
}

bool run_call_table(struct mapping_run *run, const struct mapping_table *table, uint16_t start)
{
    if (!table || run->depth == MAPPING_DEPTH_MAX)
        return false;
    begin_table(run, run->depth + 1, table, start);
    return true;
}

static void end_call(struct mapping_run *run, bool succeeded, uint16_t start);

/* Ends the mapping of this table. Its string is what the caller's element inserts. */
static void end_table(struct mapping_run *run)
{
    const struct mapping_level *level = run_level(run);

    if (run->depth == 0) {
        run->text[level->string_at + level->string_length] = '\0';
        run->status = MAPPING_DONE;
        return;
    }
    bool succeeded = level->decided && (level->flags & FLAG_OF('Y'));
    run->top = (uint16_t)(level->string_at + level->string_length);
    run->depth--;
    run->has_input = false;
    run_make_substitution(run, level->string_at);
    end_call(run, succeeded, level->string_at);
}

/* Entries */

/* Begins another pass; or ends the mapping, if too many passes made no progress. */
static void begin_pass(struct mapping_run *run)
{
    struct mapping_level *level = run_level(run);
    bool is_shorter = level->string_length < level->old_length;

    level->n_loops = is_shorter ? 0 : (uint8_t)(level->n_loops + 1);
    level->entry = 0;
    if (level->n_loops > LOOPS_MAX)
        end_table(run);
}

/* The entry is finished; its control letter says what comes next. */
static void leave_entry(struct mapping_run *run)
{
    struct mapping_level *level = run_level(run);

    run->top = level->out_at = (uint16_t)(level->string_at + level->string_length);
    level->phase = MAPPING_PHASE_MATCH;
    switch (level->control) {
    case 'C':
        level->wants_pass = false;
        level->entry++;
        break;
    case 'L':
        level->wants_pass = true;
        level->entry++;
        break;
    case 'R':
        level->wants_pass = false;
        begin_pass(run);
        break;
    default:
        end_table(run);
    }
}

void run_succeed(struct mapping_run *run)
{
    struct mapping_level *level = run_level(run);
    size_t length = (size_t)(run->top - level->out_at);

    level->old_length = level->string_length;
    memmove(run->text + level->string_at, run->text + level->out_at, length);
    level->string_length = (uint16_t)length;
    run->has_input = false;
    level->flags |= level->new_flags;
    level->decided = &level->table->entries[level->entry];
    if (run_is_traced(run))
        run_trace_result(run);
    leave_entry(run);
}

void run_fail(struct mapping_run *run)
{
    struct mapping_level *level = run_level(run);

    level->old_length = level->string_length;
    if (run_is_traced(run))
        run_trace_failure(run);
    leave_entry(run);
}

/* The call whose argument began at `start` has ended; the text from there on is what it inserts. */
static void end_call(struct mapping_run *run, bool succeeded, uint16_t start)
{
    if (run_is_traced(run))
        run_trace_call_end(run, succeeded, start);
    size_t length = (size_t)(run->top - start);
    run->top = start;
    /* The text is in its place already; only case and limits are left to apply. */
    if (!succeeded || !run_append(run, run->text + start, length))
        run_fail(run);
}

/* Matching */

static bool matches(struct mapping_run *run, const struct mapping_entry *entry)
{
    struct mapping_level *level = run_level(run);

    switch (pattern_match(&entry->pattern, &run->input, level->fields, &run->n_steps)) {
    case PATTERN_MATCHES:
        return true;
    case PATTERN_TOO_HARD:
        run->too_hard = entry;
        return false;
    default:
        return false;
    }
}

/* Skips entries that the index rules out. Returns how the others must be compared; `level->entry`
 * is the first that may match. */
static void skip_networks(struct mapping_run *run)
{
    struct mapping_level *level = run_level(run);
    const struct mapping_table *table = level->table;
    uint32_t number = table->entries[level->entry].index;

    if (number == 0)
        return;
    const struct network_index *index = &table->indexes[number - 1];
    run->n_steps += index->n_slices;
    if (network_index_find(index, run->input.folded, run->input.length, level->entry,
                           &level->entry) == NETWORK_INDEX_NONE)
        level->entry = index->end;
}

/* Finds the next entry that matches. */
void run_match_entry(struct mapping_run *run)
{
    struct mapping_level *level = run_level(run);
    const struct mapping_table *table = level->table;

    if (!run->has_input)
        pattern_input_set(&run->input, run->text + level->string_at, level->string_length);
    run->has_input = true;
    for (;;) {
        if (level->entry < table->n_entries)
            skip_networks(run);
        if (level->entry == table->n_entries)
            break;
        if (matches(run, &table->entries[level->entry])) {
            level->phase = MAPPING_PHASE_TEMPLATE;
            level->element = 0;
            level->control = 0;
            level->new_flags = 0;
            level->n_arguments = 0;
            level->letter_case = CASE_KEPT;
            if (run_is_traced(run))
                run_trace_match(run);
            return;
        }
        if (run->n_steps > MAPPING_STEPS_MAX) {
            run->status = MAPPING_LIMIT;
            return;
        }
        level->entry++;
    }
    if (!level->wants_pass || level->had_pass) {
        end_table(run);
        return;
    }
    level->had_pass = true;
    level->wants_pass = false;
    begin_pass(run);
}

/* The run */

void mapping_run_start(struct mapping_run *run, const struct mapping_set *set, const char *table,
                       const char *probe, uint32_t input_flags, const struct mapping_hooks *hooks)
{
    const struct mapping_table *first = mapping_set_find(set, table);
    size_t length = strnlen(probe, MAPPING_STRING_MAX + 1);

    run->set = set;
    run->hooks = hooks;
    run->input_flags = input_flags;
    run->status = first && length <= MAPPING_STRING_MAX ? MAPPING_RUNNING : MAPPING_DONE;
    run->n_elements = 0;
    run->n_steps = 0;
    run->too_hard = NULL;
    run->top = 0;
    if (run->status == MAPPING_RUNNING) {
        memcpy(run->text, probe, length);
        run->top = (uint16_t)length;
    }
    run->text[run->top] = '\0';
    for (char *c = run->text; *c; c++)
        if (character_is_control(*c))
            *c = '?';
    if (run->status == MAPPING_RUNNING)
        begin_table(run, 0, first, 0);
    else
        run->levels[run->depth = 0] = (struct mapping_level){0};
}

bool mapping_run_matched(const struct mapping_run *run)
{
    return mapping_run_entry(run) != NULL;
}

const struct mapping_entry *mapping_run_entry(const struct mapping_run *run)
{
    return run->status == MAPPING_DONE ? run->levels[0].decided : NULL;
}

uint32_t mapping_run_flags(const struct mapping_run *run)
{
    return run->status == MAPPING_DONE ? run->levels[0].flags : 0;
}

const char *mapping_run_string(const struct mapping_run *run)
{
    return run->status == MAPPING_DONE ? run->text : "";
}
