/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/str.h"
#include "mapping/character.h"
#include "mapping/run_internal.h"

/* Bytes of one text: the longest string, and what is said about it. */
#define TRACE_TEXT_MAX (MAPPING_STRING_MAX + 256)

/* Traces something about the entry in work. */
static void tell_of_entry(const struct mapping_run *run, const char *text)
{
    const struct mapping_level *level = &run->levels[run->depth];
    const struct mapping_entry *entry = &level->table->entries[level->entry];

    run->hooks->trace(run->hooks->data, &(struct mapping_trace){
                                            .depth = (unsigned)run->depth,
                                            .table = level->table->name,
                                            .file = entry->file,
                                            .line = entry->line,
                                            .pattern = entry->text,
                                            .text = text,
                                        });
}

/* Adds the text from `start` to before `end`. */
static void add_text(struct str_buffer *buffer, const struct mapping_run *run, size_t start,
                     size_t end)
{
    for (size_t i = start; i < end; i++)
        str_buffer_add(buffer, "%c", character_plain(run->text[i]));
}

void run_trace_table(const struct mapping_run *run)
{
    const struct mapping_level *level = &run->levels[run->depth];
    char text[TRACE_TEXT_MAX];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));

    str_buffer_add(&buffer, "%s: ", level->table->name);
    add_text(&buffer, run, level->string_at, level->string_at + level->string_length);
    run->hooks->trace(run->hooks->data, &(struct mapping_trace){
                                            .depth = (unsigned)run->depth,
                                            .table = level->table->name,
                                            .text = text,
                                        });
}

void run_trace_match(const struct mapping_run *run)
{
    tell_of_entry(run, "matches");
}

static const char *what_follows(char control)
{
    switch (control) {
    case 'C':
    case 'L':
        return "the next entry is tried";
    case 'R':
        return "the table is restarted";
    default:
        return "the mapping ends";
    }
}

void run_trace_result(const struct mapping_run *run)
{
    const struct mapping_level *level = &run->levels[run->depth];
    char text[TRACE_TEXT_MAX];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));

    str_buffer_add(&buffer, "succeeds with \"");
    add_text(&buffer, run, level->string_at, level->string_at + level->string_length);
    str_buffer_add(&buffer, "\"");
    for (char letter = 'A'; letter <= 'Z'; letter++)
        if (level->new_flags & FLAG_OF(letter))
            str_buffer_add(&buffer, " $%c", letter);
    if (level->new_flags & FLAG_LOG_MATCH)
        str_buffer_add(&buffer, " $<");
    if (level->new_flags & FLAG_LOG_REJECT)
        str_buffer_add(&buffer, " $>");
    str_buffer_add(&buffer, "; %s", what_follows(level->control));
    tell_of_entry(run, text);
}

void run_trace_failure(const struct mapping_run *run)
{
    char text[64];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));

    str_buffer_add(&buffer, "fails; %s", what_follows(run->levels[run->depth].control));
    tell_of_entry(run, text);
}

void run_trace_test(const struct mapping_run *run, const struct template_element *element,
                    bool succeeded)
{
    char text[64];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));

    if (element->kind == TEMPLATE_CHANCE)
        str_buffer_add(&buffer, "$?%g? %s", 100.0 * element->chance / CHANCE_WHOLE,
                       succeeded ? "passes" : "fails");
    else
        str_buffer_add(&buffer, "$%c%c %s", element->wants_clear ? ';' : ':', element->letter,
                       succeeded ? "passes" : "fails");
    tell_of_entry(run, text);
}

static void add_call(struct str_buffer *buffer, const struct template_element *element)
{
    if (element->kind == TEMPLATE_TABLE)
        str_buffer_add(buffer, "$|%s", element->call->name);
    else
        str_buffer_add(buffer, "$[%s", callout_routine_to_string(element->routine));
}

void run_trace_call(const struct mapping_run *run, const struct template_element *element,
                    uint16_t start, const char *fault)
{
    bool is_table = element->kind == TEMPLATE_TABLE;
    char text[TRACE_TEXT_MAX];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));

    str_buffer_add(&buffer, "calls ");
    add_call(&buffer, element);
    str_buffer_add(&buffer, is_table ? ";" : ",");
    add_text(&buffer, run, start, run->top);
    str_buffer_add(&buffer, is_table ? "|" : "]");
    if (fault)
        str_buffer_add(&buffer, ", but that fails: it %s", fault);
    tell_of_entry(run, text);
}

void run_trace_call_end(const struct mapping_run *run, bool succeeded, uint16_t start)
{
    const struct mapping_level *level = &run->levels[run->depth];
    const struct template *template = &level->table->entries[level->entry].template;
    const struct template_element *element = &template->elements[level->element - 1];
    char text[TRACE_TEXT_MAX];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));

    add_call(&buffer, element);
    str_buffer_add(&buffer, element->kind == TEMPLATE_TABLE ? "| " : "] ");
    str_buffer_add(&buffer, succeeded ? "succeeds" : "fails");
    if (succeeded && element->kind == TEMPLATE_TABLE && run->top > start) {
        str_buffer_add(&buffer, " with \"");
        add_text(&buffer, run, start, run->top);
        str_buffer_add(&buffer, "\"");
    }
    tell_of_entry(run, text);
}
